/* An object cache: requests, as a disk driver would have them. The constructor
 * makes each ready once; who frees a request leaves it as the constructor did,
 * so taking one costs a few instructions and no initialisation. What is freed
 * stays at hand for this CPU, until the cache is shrunk. */
#include "kernel/demo.h"
#include "mm/slab.h"

#include <oct/list.h>
#include <oct/print.h>

#define REQUESTS 100

struct request {
    struct list queue;
    unsigned sector;
    char data[200];
};

static unsigned constructed;

static void construct(void *p)
{
    struct request *r = p;
    list_init(&r->queue);
    constructed++;
}

static void print_state(struct kmem_cache *cache, const char *when)
{
    struct slab_stats s;
    kmem_cache_stats(cache, &s);
    kprintf("  %-20s %4zu live, %3zu at hand, room for %4zu in %zu slabs, "
            "%u constructed\n",
            when, s.live, s.cached, s.total, s.slabs, constructed);
}

static void submit(struct kmem_cache *cache, struct list *queue)
{
    for (unsigned i = 0; i < REQUESTS; i++) {
        struct request *r = kmem_cache_alloc(cache, GFP_KERNEL);
        if (!r)
            return; /* there are fewer, and that is all */
        r->sector = i;
        list_append(queue, &r->queue);
    }
}

static void complete(struct kmem_cache *cache, struct list *queue)
{
    while (!list_empty(queue)) {
        struct request *r = container_of(queue->next, struct request, queue);
        list_remove(&r->queue); /* as it was constructed */
        kmem_cache_free(cache, r);
    }
}

DEMO(cache)
{
    struct list queue = LIST_INIT(queue);
    constructed = 0;
    struct kmem_cache *cache =
        kmem_cache_create("demo request", sizeof(struct request), 0,
                          SLAB_HWCACHE_ALIGN, construct);
    if (!cache)
        return;
    print_state(cache, "a new cache");
    for (unsigned round = 1; round <= 2; round++) {
        submit(cache, &queue);
        print_state(cache, "requests submitted");
        complete(cache, &queue);
        print_state(cache, "requests completed");
    }
    kmem_cache_shrink(cache);
    print_state(cache, "shrunk");
    int error = kmem_cache_destroy(cache);
    kprintf("  the cache is %s\n", error ? "still in use" : "destroyed");
}
