/* Counting in a loop and in its interrupts at once: nothing gets lost. */
#include "kernel/trap.h"
#include "mm/percpu.h"
#include "tests/kernel/support.h"

static DEFINE_PER_CPU(uint64_t, count);
static volatile unsigned long ticks;

static void count_tick(void)
{
    this_cpu_inc(count);
    this_cpu_add(count, 1ull << 32);
    ticks++;
}

TEST(percpu_add_in_interrupt)
{
    uint64_t turns = 0;
    ticks = 0;
    this_cpu_write(count, 0);
    trap_on_tick(count_tick);
    for (; ticks < 20 && turns < 1ull << 28; turns++)
        this_cpu_inc(count);
    trap_on_tick(NULL);
    EXPECT(ticks >= 20);
    EXPECT(this_cpu_read(count) == turns + ticks + ((uint64_t)ticks << 32));
    for (unsigned cpu = 0; cpu < percpu_map.cpus; cpu++)
        if (cpu != arch_cpu_id())
            EXPECT(*per_cpu_ptr(&count, cpu) == 0);
}

/* A handle is not for writing: the initial values are constants. */
TEST(percpu_template_is_constant)
{
    EXPECT(!probe_write((vaddr_t)&count, 1));
    EXPECT(probe_write((vaddr_t)this_cpu_ptr(&count), 0));
}
