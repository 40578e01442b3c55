/* Traps of the kernel, in the portable form. Privileged Architecture,
 * "Supervisor Cause Register". */
#include <arch/cpu.h>
#include <arch/devices.h>
#include <arch/entry.h>
#include <oct/arch.h>
#include <oct/assert.h>
#include <oct/image.h>
#include <oct/trap.h>

#define INTERRUPT (1ul << (WORD_BITS - 1)) /* in scause */

enum { TIMER = 5, EXTERNAL = 9 }; /* interrupt causes */
enum { EMERGENCY_SIZE = 8192 };

static_assert(WORD == sizeof(long), "WORD");
static_assert(offsetof(struct hart, stack_bottom) == HART_STACK_BOTTOM, "hart");
static_assert(offsetof(struct hart, stack_top) == HART_STACK_TOP, "hart");
static_assert(offsetof(struct hart, emergency_top) == HART_EMERGENCY_TOP,
              "hart");
static_assert(offsetof(struct hart, saved_sp) == HART_SAVED_SP, "hart");
static_assert(offsetof(struct hart, saved_t0) == HART_SAVED_T0, "hart");
static_assert(offsetof(struct frame, status) == FRAME_STATUS, "frame");
static_assert(offsetof(struct frame, link.fp) == FRAME_LINK_FP, "frame");
static_assert(offsetof(struct frame, link.pc) == FRAME_LINK_PC, "frame");
static_assert(sizeof(struct frame) == FRAME_SIZE, "frame");
static_assert(FRAME_SIZE % 16 == 0, "the ABI aligns sp");

static struct hart boot_hart;

/* The linker script puts it first among the data, so below it lie constants,
 * which cannot be written: that is its guard. */
static char emergency_stack[EMERGENCY_SIZE]
    __attribute__((aligned(16), section(".data.emergency")));

struct cause {
    const char *name;
    enum trap_kind kind;
    enum trap_access access;
};

static const struct cause exceptions[] = {
    [0] = {"instruction address misaligned", TRAP_EXCEPTION, ACCESS_EXECUTE},
    [1] = {"instruction access fault", TRAP_FAULT, ACCESS_EXECUTE},
    [2] = {"illegal instruction", TRAP_EXCEPTION, ACCESS_UNKNOWN},
    [3] = {"breakpoint", TRAP_EXCEPTION, ACCESS_UNKNOWN},
    [4] = {"load address misaligned", TRAP_EXCEPTION, ACCESS_READ},
    [5] = {"load access fault", TRAP_FAULT, ACCESS_READ},
    [6] = {"store/AMO address misaligned", TRAP_EXCEPTION, ACCESS_WRITE},
    [7] = {"store/AMO access fault", TRAP_FAULT, ACCESS_WRITE},
    [8] = {"environment call from U-mode", TRAP_EXCEPTION, ACCESS_UNKNOWN},
    [9] = {"environment call from S-mode", TRAP_EXCEPTION, ACCESS_UNKNOWN},
    [12] = {"instruction page fault", TRAP_FAULT, ACCESS_EXECUTE},
    [13] = {"load page fault", TRAP_FAULT, ACCESS_READ},
    [15] = {"store/AMO page fault", TRAP_FAULT, ACCESS_WRITE},
};
static const struct cause interrupts[] = {
    [1] = {"supervisor software interrupt", TRAP_SPURIOUS, ACCESS_UNKNOWN},
    [TIMER] = {"supervisor timer interrupt", TRAP_TIMER, ACCESS_UNKNOWN},
    [EXTERNAL] = {"supervisor external interrupt", TRAP_SPURIOUS,
                  ACCESS_UNKNOWN},
};
static const struct cause unknown_exception = {"reserved exception",
                                               TRAP_EXCEPTION, ACCESS_UNKNOWN};
static const struct cause unknown_interrupt = {"reserved interrupt",
                                               TRAP_SPURIOUS, ACCESS_UNKNOWN};

static const struct cause *find_cause(unsigned long code)
{
    unsigned long number = code & ~INTERRUPT;

    if (code & INTERRUPT)
        return number < ARRAY_SIZE(interrupts) && interrupts[number].name
                   ? &interrupts[number]
                   : &unknown_interrupt;
    return number < ARRAY_SIZE(exceptions) && exceptions[number].name
               ? &exceptions[number]
               : &unknown_exception;
}

static bool on_stack(const struct hart *hart, vaddr_t from, size_t size)
{
    return from >= hart->stack_bottom && from < hart->stack_top &&
           size <= hart->stack_top - from;
}

/* The interrupted code's frame pointer, for arch_unwind. A leaf function has
 * stored the caller's frame pointer where others have the return address, which
 * is still in ra: write down what it left out. */
static vaddr_t unwindable_fp(const struct hart *hart, struct frame *f)
{
    vaddr_t fp = f->x[8], stored;

    if (!is_aligned(fp, WORD) || !on_stack(hart, fp - WORD, WORD))
        return fp;
    stored = *(const vaddr_t *)(fp - WORD);
    if (stored >= (vaddr_t)text_start && stored < (vaddr_t)text_end)
        return fp;
    f->leaf = (struct link){.fp = stored, .pc = f->x[1]};
    return (vaddr_t)(&f->leaf + 1);
}

static struct trap describe(const struct hart *hart, struct frame *f)
{
    unsigned long code = csr_read(scause), detail = csr_read(stval);
    const struct cause *cause = find_cause(code);

    return (struct trap){
        .kind = cause->kind,
        .access = cause->access,
        .user = !(f->status & SSTATUS_SPP),
        .pc = f->x[0],
        .sp = f->x[2],
        .fp = unwindable_fp(hart, f),
        .addr = detail,
        .code = code,
        .info = detail,
        .name = cause->name,
    };
}

static void handle_timer(struct trap *t)
{
    timer_interrupt();
    trap_dispatch(t);
    if (console_poll()) {
        t->kind = TRAP_CONSOLE;
        trap_dispatch(t);
    }
}

/* The UART's is the only interrupt that the PLIC lets through. */
static void handle_external(struct trap *t)
{
    uint32_t irq = plic_claim();

    if (irq && irq == machine.uart.irq)
        t->kind = TRAP_CONSOLE;
    trap_dispatch(t);
    if (t->kind == TRAP_CONSOLE)
        uart_settle();
    if (irq)
        plic_complete(irq);
}

/* There was no room for the frame on the stack in use, so it is on the
 * emergency stack, which is the one in use from now on. If that has no room
 * either, what it held is gone, and this time is the last. */
static void report_overflow(struct hart *hart, struct trap *t)
{
    static const char again[] = "oct: emergency stack overflow\n";
    bool faulted = t->kind == TRAP_FAULT;

    if (hart->stack_top == hart->emergency_top) {
        arch_console_write(again, sizeof(again) - 1);
        arch_poweroff(2);
    }
    hart->stack_bottom = hart->emergency_top - EMERGENCY_SIZE;
    hart->stack_top = hart->emergency_top;
    t->kind = TRAP_DOUBLE;
    t->addr = faulted ? t->addr : t->sp;
    trap_dispatch(t);
    arch_poweroff(2);
}

void trap_handle(struct frame *f)
{
    struct hart *hart = (struct hart *)csr_read(sscratch);
    struct trap t = describe(hart, f);
    bool moved = (vaddr_t)f != f->x[2] - sizeof(*f);

    if (moved)
        report_overflow(hart, &t);
    else if (t.code == (INTERRUPT | TIMER))
        handle_timer(&t);
    else if (t.code == (INTERRUPT | EXTERNAL))
        handle_external(&t);
    else
        trap_dispatch(&t);
    f->x[0] = t.pc; /* the handler may have chosen another */
}

void trap_init(unsigned long id)
{
    boot_hart = (struct hart){
        .stack_bottom = (vaddr_t)stack_bottom,
        .stack_top = (vaddr_t)stack_top,
        .emergency_top = (vaddr_t)emergency_stack + EMERGENCY_SIZE,
        .id = id,
        .index = 0,
    };
    csr_write(sscratch, &boot_hart);
    csr_write(stvec, trap_entry);
}
