/* What objects cost: pairs, batches, and a churn of mixed sizes. */
#include "kernel/kbench.h"
#include "mm/kheap.h"
#include "tests/kernel/support.h"

#define BATCH 256

static void *held[BATCH];

BENCH(kmalloc_64, BATCH)
{
    METER_START;
    for (size_t i = 0; i < BATCH; i++)
        held[i] = kmalloc(64, GFP_KERNEL);
    METER_STOP;
    for (size_t i = 0; i < BATCH; i++)
        kfree(held[i]);
}

BENCH(kfree_64, BATCH)
{
    for (size_t i = 0; i < BATCH; i++)
        held[i] = kmalloc(64, GFP_KERNEL);
    METER_START;
    for (size_t i = 0; i < BATCH; i++)
        kfree(held[i]);
    METER_STOP;
}

static void pairs(size_t size)
{
    for (size_t i = 0; i < BATCH; i++) {
        void *p = kmalloc(size, GFP_KERNEL);
        kfree(p);
    }
}

BENCH(kmalloc_kfree_64, BATCH)
{
    METER_START;
    pairs(64);
    METER_STOP;
}

BENCH(kmalloc_kfree_4096, BATCH)
{
    METER_START;
    pairs(4096);
    METER_STOP;
}

/* Replaces objects in random order. The same numbers on every machine. */
BENCH(kmalloc_churn, 2048)
{
    struct random r = {12345};
    for (size_t i = 0; i < BATCH; i++)
        held[i] = kmalloc(1 + random_below(&r, 500), GFP_KERNEL);
    METER_START;
    for (size_t i = 0; i < 2048; i++) {
        size_t at = random_below(&r, BATCH);
        kfree(held[at]);
        held[at] = kmalloc(1 + random_below(&r, 500), GFP_KERNEL);
    }
    METER_STOP;
    for (size_t i = 0; i < BATCH; i++)
        kfree(held[i]);
}
