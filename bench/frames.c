/* What frames cost: single ones, runs, and with little left. */
#include "kernel/kbench.h"
#include "mm/pmm.h"

#include <arch/pte.h>

#define BATCH 256

static paddr_t held[BATCH];

static void take(size_t n)
{
    for (size_t i = 0; i < BATCH; i++)
        held[i] = pmm_allocs(n);
}

static void give(size_t n)
{
    for (size_t i = 0; i < BATCH; i++)
        pmm_frees(held[i], n);
}

BENCH(frame_alloc, BATCH)
{
    METER_START;
    take(1);
    METER_STOP;
    give(1);
}

BENCH(frame_free, BATCH)
{
    take(1);
    METER_START;
    give(1);
    METER_STOP;
}

BENCH(frame_pair, BATCH)
{
    METER_START;
    for (size_t i = 0; i < BATCH; i++)
        pmm_free(pmm_alloc());
    METER_STOP;
}

BENCH(frame_run_of_8, BATCH)
{
    METER_START;
    take(8);
    METER_STOP;
    give(8);
}

/* A run that no machine here has. */
BENCH(frame_impossible_run, 16)
{
    METER_START;
    for (size_t i = 0; i < 16; i++)
        (void)pmm_allocs((size_t)-1 >> PAGE_SHIFT);
    METER_STOP;
}
