/* Per-CPU data: each CPU counts its own timer ticks, without a lock and without
 * sharing a cache line; who wants to know adds the counters up. */
#include "kernel/demo.h"
#include "kernel/trap.h"
#include "mm/percpu.h"

#include <oct/arch.h>
#include <oct/print.h>

#define TICKS 10

static unsigned long *ticks; /* a handle: each CPU has its own behind it */

static void count_tick(void)
{
    this_cpu_inc(*ticks);
}

static unsigned long sum(void)
{
    unsigned long all = 0;
    for (unsigned cpu = 0; cpu < percpu_map.cpus; cpu++)
        all += *(volatile unsigned long *)per_cpu_ptr(ticks, cpu);
    return all;
}

DEMO(percpu)
{
    ticks = alloc_percpu(unsigned long);
    if (!ticks)
        return;
    kprintf("  counting %d ticks of %d a second ...\n", TICKS,
            TICKS_PER_SECOND);
    trap_on_tick(count_tick);
    while (sum() < TICKS)
        arch_idle();
    trap_on_tick(NULL);
    for (unsigned cpu = 0; cpu < percpu_map.cpus; cpu++)
        kprintf("  CPU %u, counter at %p: %lu\n", cpu,
                (const void *)per_cpu_ptr(ticks, cpu),
                *per_cpu_ptr(ticks, cpu));
    free_percpu(ticks);
}
