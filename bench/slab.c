/* What objects of a cache cost: one by one, in bulk, and with a constructor to
 * save. */
#include "mm/slab.h"
#include "kernel/kbench.h"

#include <oct/assert.h>

#define BATCH 256

static void *held[BATCH];

static struct kmem_cache *make_cache(unsigned flags)
{
    return kmem_cache_create("bench", 64, 0, flags | SLAB_PANIC, NULL);
}

static void end_cache(struct kmem_cache *c)
{
    int error = kmem_cache_destroy(c);
    assert(!error);
}

static void take_all(struct kmem_cache *c)
{
    for (size_t i = 0; i < BATCH; i++)
        held[i] = kmem_cache_alloc(c, GFP_KERNEL);
}

static void give_all(struct kmem_cache *c)
{
    for (size_t i = 0; i < BATCH; i++)
        kmem_cache_free(c, held[i]);
}

/* Making slabs included. */
BENCH(slab_alloc_64, BATCH)
{
    struct kmem_cache *c = make_cache(0);
    METER_START;
    take_all(c);
    METER_STOP;
    give_all(c);
    end_cache(c);
}

BENCH(slab_free_64, BATCH)
{
    struct kmem_cache *c = make_cache(0);
    take_all(c);
    METER_START;
    give_all(c);
    METER_STOP;
    end_cache(c);
}

static void take_and_give(struct kmem_cache *c)
{
    void *p = kmem_cache_alloc(c, GFP_KERNEL);
    kmem_cache_free(c, p);
}

/* There is a slab, and what the CPU keeps objects in. */
static void pairs(struct meter *meter, unsigned flags)
{
    struct kmem_cache *c = make_cache(flags);
    take_and_give(c);
    METER_START;
    for (size_t i = 0; i < BATCH; i++)
        take_and_give(c);
    METER_STOP;
    end_cache(c);
}

BENCH(slab_alloc_free_64, BATCH)
{
    pairs(meter, 0);
}

BENCH(slab_alloc_free_64_watched, BATCH)
{
    pairs(meter, SLAB_RED_ZONE | SLAB_POISON);
}

/* As slab_alloc_64 and slab_free_64, but with slabs there. */
BENCH(slab_alloc_64_again, BATCH)
{
    struct kmem_cache *c = make_cache(0);
    take_all(c);
    give_all(c);
    METER_START;
    take_all(c);
    METER_STOP;
    give_all(c);
    end_cache(c);
}

BENCH(slab_free_64_again, BATCH)
{
    struct kmem_cache *c = make_cache(0);
    take_all(c);
    give_all(c);
    take_all(c);
    METER_START;
    give_all(c);
    METER_STOP;
    end_cache(c);
}

/* An object each; making slabs included, as in slab_alloc_64. */
BENCH(slab_bulk_64, BATCH)
{
    struct kmem_cache *c = make_cache(0);
    METER_START;
    size_t got = kmem_cache_alloc_bulk(c, GFP_KERNEL, BATCH, held);
    METER_STOP;
    kmem_cache_free_bulk(c, got, held);
    end_cache(c);
}
