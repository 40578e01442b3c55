/* The descriptor tables. All segments are flat. There are two tasks, and only
 * because a double fault needs one: when the kernel's stack has overflowed into
 * its guard page the CPU cannot push a frame there, so vector 8 is a task gate
 * that brings a stack of its own. The CPU leaves the interrupted registers in
 * `kernel_task`. SDM 3A, 3.4.5 (segment descriptors), 6.11 (gates), 7.2. */
#include <arch/cpu.h>
#include <arch/segments.h>
#include <arch/trap.h>
#include <oct/assert.h>
#include <oct/image.h>

enum {
    CODE = 0x9a,
    DATA = 0x92,
    TASK = 0x89,
    INTERRUPT_GATE = 0x8e,
    TASK_GATE = 0x85,
    USER = 0x60
};

struct table_register {
    uint16_t limit;
    uint32_t base;
} PACKED;

static struct task_segment kernel_task, double_fault_task;
static char double_fault_stack[8192]
    __attribute__((aligned(4096), section(".data.emergency")));
static uint64_t gdt[7], idt[VECTORS];

static_assert(sizeof(struct task_segment) == 104, "SDM 3A, figure 7-2");
static_assert(TASK_DOUBLE_FAULT / 8 < ARRAY_SIZE(gdt), "all in the table");

static uint64_t descriptor(uint32_t base, uint32_t limit, uint8_t access,
                           uint8_t flags)
{
    return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 |
           (uint64_t)access << 40 | (uint64_t)(limit >> 16 & 0xf) << 48 |
           (uint64_t)flags << 52 | (uint64_t)(base >> 24) << 56;
}

/* 4 GiB from 0; counted in pages, 32-bit. */
static uint64_t flat(uint8_t access)
{
    return descriptor(0, 0xfffff, access, 0xc);
}

static uint64_t task(const struct task_segment *t)
{
    return descriptor((vaddr_t)t, sizeof(*t) - 1, TASK, 0);
}

static uint64_t gate(uint32_t offset, uint16_t selector, uint8_t access)
{
    return (offset & 0xffff) | (uint64_t)selector << 16 |
           (uint64_t)access << 40 | (uint64_t)(offset >> 16) << 48;
}

static void fill_tasks(void)
{
    kernel_task.ss0 = KERNEL_DATA;
    kernel_task.esp0 = (vaddr_t)stack_top;
    kernel_task.io_map = sizeof(kernel_task); /* user mode: no ports */

    double_fault_task = (struct task_segment){
        .eip = (vaddr_t)double_fault_entry,
        .esp = (vaddr_t)double_fault_stack + sizeof(double_fault_stack),
        .eflags = EFLAGS_RESERVED,
        .cs = KERNEL_CODE,
        .ss = KERNEL_DATA,
        .ds = KERNEL_DATA,
        .es = KERNEL_DATA,
        .io_map = sizeof(double_fault_task),
    };
}

static void load_gdt(void)
{
    struct table_register r = {sizeof(gdt) - 1, (vaddr_t)gdt};

    gdt[KERNEL_CODE / 8] = flat(CODE);
    gdt[KERNEL_DATA / 8] = flat(DATA);
    gdt[USER_CODE / 8] = flat(CODE | USER);
    gdt[USER_DATA / 8] = flat(DATA | USER);
    gdt[TASK_KERNEL / 8] = task(&kernel_task);
    gdt[TASK_DOUBLE_FAULT / 8] = task(&double_fault_task);
    asm volatile("lgdt %0\n\t"
                 "ljmp %1, $1f\n\t"
                 "1: movl %2, %%ds; movl %2, %%es; movl %2, %%ss\n\t"
                 "movl %3, %%fs; movl %3, %%gs\n\t"
                 "ltr %w4"
                 :
                 : "m"(r), "i"(KERNEL_CODE), "r"(KERNEL_DATA), "r"(0),
                   "r"(TASK_KERNEL)
                 : "memory");
}

/* Interrupt gates: handlers begin with interrupts off. User mode may raise only
 * the two that have an instruction of their own. */
static void load_idt(void)
{
    struct table_register r = {sizeof(idt) - 1, (vaddr_t)idt};

    for (size_t v = 0; v < VECTORS; v++)
        idt[v] = gate(vector_stubs[v], KERNEL_CODE, INTERRUPT_GATE);
    idt[VECTOR_BREAKPOINT] |= (uint64_t)USER << 40;
    idt[VECTOR_OVERFLOW] |= (uint64_t)USER << 40;
    idt[VECTOR_DOUBLE] = gate(0, TASK_DOUBLE_FAULT, TASK_GATE);
    asm volatile("lidt %0" : : "m"(r) : "memory");
}

void segments_init(void)
{
    fill_tasks();
    load_gdt();
    load_idt();
}

void segments_set_root(uint32_t root)
{
    double_fault_task.cr3 = root;
}

const struct task_segment *segments_interrupted(void)
{
    return &kernel_task;
}
