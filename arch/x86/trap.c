/* From the CPU's frame to the portable one. SDM 3A, 6.3 (vectors), 4.7 (the
 * page fault's error code). */
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/pic.h>
#include <arch/segments.h>
#include <arch/trap.h>
#include <oct/arch.h>
#include <oct/assert.h>
#include <oct/trap.h>

enum { FAULT_WRITE = 0x2, FAULT_FETCH = 0x10 };

static const char *const exception_names[EXCEPTIONS] = {
    "Divide Error",
    "Debug Exception",
    "NMI Interrupt",
    "Breakpoint",
    "Overflow",
    "BOUND Range Exceeded",
    "Invalid Opcode",
    "Device Not Available",
    "Double Fault",
    "Coprocessor Segment Overrun",
    "Invalid TSS",
    "Segment Not Present",
    "Stack-Segment Fault",
    "General Protection",
    "Page Fault",
    "reserved (15)",
    "x87 FPU Floating-Point Error",
    "Alignment Check",
    "Machine Check",
    "SIMD Floating-Point Exception",
    "Virtualization Exception",
    "Control Protection Exception",
    [28] = "Hypervisor Injection Exception",
    [29] = "VMM Communication Exception",
    [30] = "Security Exception",
};

static_assert(offsetof(struct trap_frame, eip) == 56, "entry.asm knows it");

static const char *exception_name(unsigned vector)
{
    const char *name = exception_names[vector];
    return name ? name : "reserved";
}

static bool from_user(uint32_t cs)
{
    return (cs & 3) == 3;
}

/* A CPU without NX does not say that it was fetching; but only a fetch can be
 * refused at its own instruction. */
static enum trap_access page_fault_access(const struct trap_frame *f,
                                          vaddr_t addr)
{
    if (f->error & FAULT_WRITE)
        return ACCESS_WRITE;
    if ((f->error & FAULT_FETCH) || addr == f->eip)
        return ACCESS_EXECUTE;
    return ACCESS_READ;
}

/* From kernel mode the CPU pushes no stack pointer: the interrupted stack
 * begins where the frame ends. */
static struct trap describe(const struct trap_frame *f)
{
    bool user = from_user(f->cs);

    return (struct trap){
        .kind = TRAP_SPURIOUS,
        .access = ACCESS_UNKNOWN,
        .user = user,
        .pc = f->eip,
        .sp = user ? f->user_esp : (vaddr_t)&f->user_esp,
        .fp = f->ebp,
        .code = f->vector,
        .info = f->error,
        .name = "interrupt",
    };
}

static void exception(const struct trap_frame *f, struct trap *t)
{
    t->kind = TRAP_EXCEPTION;
    t->name = exception_name(f->vector);
    if (f->vector == VECTOR_PAGE) {
        t->kind = TRAP_FAULT;
        t->addr = read_cr2();
        t->access = page_fault_access(f, t->addr);
    }
    trap_dispatch(t);
}

/* Acknowledged first: the kernel may not come back here for a while. */
static void interrupt(unsigned line, struct trap *t)
{
    bool real = pic_acknowledge(line);

    if (real && line == LINE_TIMER) {
        t->kind = TRAP_TIMER;
    } else if (real && (line == LINE_KEYBOARD || line == LINE_SERIAL)) {
        if (!console_poll())
            return; /* a key was released */
        t->kind = TRAP_CONSOLE;
    }
    trap_dispatch(t);
}

void x86_trap(struct trap_frame *f)
{
    struct trap t = describe(f);

    if (f->vector < EXCEPTIONS)
        exception(f, &t);
    else if (f->vector - PIC_VECTOR < PIC_LINES)
        interrupt(f->vector - PIC_VECTOR, &t);
    else
        trap_dispatch(&t);
}

/* CR2 holds the address if a fault could not be delivered, which is nearly
 * always so; what the access was is lost. */
void x86_double_fault(void)
{
    const struct task_segment *was = segments_interrupted();
    struct trap t = {
        .kind = TRAP_DOUBLE,
        .access = ACCESS_UNKNOWN,
        .user = from_user(was->cs),
        .pc = was->eip,
        .sp = was->esp,
        .fp = was->ebp,
        .addr = read_cr2(),
        .code = VECTOR_DOUBLE,
        .name = exception_name(VECTOR_DOUBLE),
    };

    trap_dispatch(&t);
    arch_poweroff(2);
}
