/* What scattered memory costs by the page, and per-CPU data by the access. */
#include "mm/vmalloc.h"
#include "kernel/kbench.h"
#include "mm/percpu.h"
#include "mm/pmm.h"

#define PAGES 16
#define TIMES 256

static DEFINE_PER_CPU(unsigned long, counter);

BENCH(vmalloc_page, PAGES)
{
    METER_START;
    char *p = vmalloc(PAGES * PAGE_SIZE);
    METER_STOP;
    vfree(p);
}

BENCH(vmalloc_vfree_page, PAGES)
{
    METER_START;
    char *p = vmalloc(PAGES * PAGE_SIZE);
    vfree(p);
    METER_STOP;
}

BENCH(this_cpu_inc, TIMES)
{
    METER_START;
    for (unsigned i = 0; i < TIMES; i++)
        this_cpu_inc(counter);
    METER_STOP;
}

BENCH(per_cpu_ptr, TIMES)
{
    METER_START;
    for (unsigned i = 0; i < TIMES; i++)
        ++*(volatile unsigned long *)per_cpu_ptr(&counter, i % percpu_map.cpus);
    METER_STOP;
}

BENCH(alloc_percpu, TIMES)
{
    static uint64_t *held[TIMES];
    METER_START;
    for (unsigned i = 0; i < TIMES; i++)
        held[i] = alloc_percpu(uint64_t);
    METER_STOP;
    for (unsigned i = 0; i < TIMES; i++)
        free_percpu(held[i]);
}
