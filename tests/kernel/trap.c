/* Faults that are caught, and the machine goes on. Only in the kernel. */
#include "kernel/trap.h"
#include "kernel/ktest.h"

#include <arch/layout.h>
#include <arch/pte.h>
#include <oct/arch.h>
#include <oct/image.h>
#include <oct/prot.h>

#define PAGE (1ul << PAGE_SHIFT)

/* Windows are given out from the start: their last page stays free. */
#define UNMAPPED (WINDOW_END - PAGE)

static char data[64];
static const char constant[64] = "constant";

static void read_at(void *addr)
{
    (void)*(const volatile uint8_t *)addr;
}

static void write_at(void *addr)
{
    *(volatile uint8_t *)addr = 0;
}

static void call_at(void *addr)
{
    ((void (*)(void))addr)();
}

static bool faults(void (*how)(void *), vaddr_t addr, enum trap_access access)
{
    struct trap t = {0};
    return !trap_try(how, (void *)addr, &t) && t.kind == TRAP_FAULT &&
           t.access == access && t.addr == addr && !t.user;
}

static bool in_text(vaddr_t pc)
{
    return pc >= (vaddr_t)text_start && pc < (vaddr_t)text_end;
}

TEST(trap_null_page)
{
    EXPECT(faults(read_at, 0, ACCESS_READ));
    EXPECT(faults(read_at, PAGE - 1, ACCESS_READ));
    EXPECT(faults(write_at, 0, ACCESS_WRITE));
    EXPECT(faults(write_at, 16, ACCESS_WRITE));
    EXPECT(faults(call_at, 0, ACCESS_EXECUTE));
}

TEST(trap_unmapped_window)
{
    EXPECT(faults(read_at, UNMAPPED, ACCESS_READ));
    EXPECT(faults(write_at, UNMAPPED, ACCESS_WRITE));
    EXPECT(faults(call_at, UNMAPPED, ACCESS_EXECUTE));
}

TEST(trap_stack_guard)
{
    EXPECT(faults(read_at, (vaddr_t)stack_guard, ACCESS_READ));
    EXPECT(faults(write_at, (vaddr_t)stack_bottom - 1, ACCESS_WRITE));
}

TEST(trap_write_protection)
{
    uint8_t byte;
    EXPECT(probe_read((vaddr_t)text_start, &byte));
    EXPECT(faults(write_at, (vaddr_t)text_start, ACCESS_WRITE));
    EXPECT(faults(write_at, (vaddr_t)constant, ACCESS_WRITE));
    EXPECT(constant[0] == 'c');
}

TEST(trap_execute_protection)
{
    SKIP_IF(PT_PROT_ALWAYS & P_EXEC, "the format has no execute control");
    EXPECT(faults(call_at, (vaddr_t)data, ACCESS_EXECUTE));
    EXPECT(faults(call_at, (vaddr_t)constant, ACCESS_EXECUTE));
}

TEST(trap_says_where)
{
    struct trap t = {0};
    EXPECT(!trap_try(read_at, NULL, &t));
    EXPECT(in_text(t.pc));
    EXPECT(t.sp >= (vaddr_t)stack_bottom && t.sp < (vaddr_t)stack_top);
    EXPECT(t.name != NULL);
}

TEST(trap_probes)
{
    uint8_t byte = 0x77;
    EXPECT(!probe_read(0, &byte) && byte == 0x77);
    EXPECT(!probe_write(0, 1));
    EXPECT(!probe_execute(0));
    EXPECT(probe_write((vaddr_t)data, 0x5a) && data[0] == 0x5a);
    EXPECT(probe_read((vaddr_t)data, &byte) && byte == 0x5a);
}

/* --- nesting --- */

static unsigned steps;

static void fault_inside_and_outside(void *unused)
{
    (void)unused;
    if (!trap_try(read_at, NULL, NULL))
        steps++;
    if (trap_try(read_at, data, NULL))
        steps++;
    read_at(NULL);
    steps += 100;
}

TEST(trap_nested)
{
    steps = 0;
    EXPECT(!trap_try(fault_inside_and_outside, NULL, NULL));
    EXPECT(steps == 2);
    EXPECT(trap_try(read_at, data, NULL));
}

TEST(trap_a_thousand_times)
{
    uint8_t byte;
    for (int i = 0; i < 1000; i++)
        EXPECT(!probe_read(UNMAPPED, &byte));
}

/* --- interrupts --- */

static bool interrupts_on(void)
{
    unsigned long now = trap_ticks();
    for (int i = 0; i < 3; i++)
        arch_idle();
    return trap_ticks() != now;
}

TEST(trap_interrupts_go_on)
{
    EXPECT(interrupts_on());
    EXPECT(!probe_write((vaddr_t)text_start, 0));
    unsigned long now = trap_ticks();
    for (uint64_t turns = 0; trap_ticks() == now && turns < 1ull << 31; turns++)
        continue; /* idle would turn them on if they were off */
    EXPECT(trap_ticks() != now);
}

static bool ticks_stand_still(void)
{
    unsigned long now = trap_ticks();
    for (unsigned turns = 0; turns < 10000000; turns++)
        if (trap_ticks() != now)
            return false;
    return true;
}

static void enable_interrupts(void *unused)
{
    (void)unused;
    arch_irq_enable();
}

TEST(trap_interrupts_stay_off)
{
    unsigned long state = arch_irq_save();
    bool faulted = !probe_write((vaddr_t)text_start, 0);
    bool off_after_fault = ticks_stand_still();
    bool ran = trap_try(enable_interrupts, NULL, NULL);
    bool off_after_return = ticks_stand_still();
    arch_irq_restore(state);
    EXPECT(faulted && off_after_fault);
    EXPECT(ran && off_after_return);
}
