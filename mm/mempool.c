/* The reserve is a stack of elements, full whenever nobody is short of memory.
 * The allocator is called without the pool's lock, first in a way that neither
 * waits nor touches the frame manager's reserve: the pool has its own for that.
 *
 * Who waits is not queued, and no element is handed over: it looks again after
 * others ran. That is fair enough for pools of one or two users.
 */
#include "mm/mempool.h"
#include "mm/kheap.h"
#include "mm/slab.h"

#include <oct/assert.h>
#include <oct/context.h>
#include <oct/errno.h>
#include <oct/lock.h>
#include <oct/report.h>
#include <oct/string.h>

struct mempool {
    struct lock lock; /* guards the rest but for the functions */
    size_t min_nr;
    size_t reserve; /* elements in the stack, at most min_nr */
    void **element; /* the stack, of min_nr places */
    size_t in_use;  /* elements that users have */
    size_t waits;
    mempool_alloc_fn *alloc;
    mempool_free_fn *free;
    void *data;
};

/* --- elements, many at once --- */

static void free_elements(struct mempool *pool, void **element, size_t n)
{
    assert(pool->free);
    for (size_t i = 0; i < n; i++)
        pool->free(element[i], pool->data);
}

/* n elements, or none. */
static bool alloc_elements(struct mempool *pool, void **element, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        element[i] = pool->alloc(GFP_KERNEL | __GFP_NOWARN, pool->data);
        if (!element[i]) {
            free_elements(pool, element, i);
            return false;
        }
    }
    return true;
}

static void **alloc_stack(size_t n)
{
    return kmalloc_array(n, sizeof(void *), GFP_KERNEL | __GFP_NOWARN);
}

/* --- making and ending --- */

static bool fill_pool(struct mempool *pool, size_t min_nr)
{
    pool->element = alloc_stack(min_nr);
    if (pool->element && alloc_elements(pool, pool->element, min_nr)) {
        pool->min_nr = pool->reserve = min_nr;
        return true;
    }
    kfree(pool->element);
    return false;
}

struct mempool *mempool_create(size_t min_nr, mempool_alloc_fn *alloc_fn,
                               mempool_free_fn *free_fn, void *data)
{
    assert(min_nr > 0 && alloc_fn && free_fn);
    struct mempool *pool = kzalloc(sizeof(*pool), GFP_KERNEL | __GFP_NOWARN);
    if (!pool)
        return NULL;
    pool->alloc = alloc_fn;
    pool->free = free_fn;
    pool->data = data;
    if (fill_pool(pool, min_nr))
        return pool;
    kfree(pool);
    return NULL;
}

static void *alloc_object(gfp_t gfp, void *cache)
{
    return kmem_cache_alloc(cache, gfp);
}

static void free_object(void *object, void *cache)
{
    kmem_cache_free(cache, object);
}

struct mempool *mempool_create_slab_pool(size_t min_nr,
                                         struct kmem_cache *cache)
{
    return mempool_create(min_nr, alloc_object, free_object, cache);
}

static void *alloc_bytes(gfp_t gfp, void *size)
{
    return kmalloc((size_t)(uintptr_t)size, gfp);
}

static void free_bytes(void *p, void *size)
{
    (void)size;
    kfree(p);
}

struct mempool *mempool_create_kmalloc_pool(size_t min_nr, size_t size)
{
    void *data = (void *)(uintptr_t)size;
    return mempool_create(min_nr, alloc_bytes, free_bytes, data);
}

int mempool_destroy(struct mempool *pool)
{
    if (pool && pool->in_use) {
        report(CALLER, "mempool: not destroyed: %zu elements in use",
               pool->in_use);
        return -EBUSY;
    }
    if (pool) {
        free_elements(pool, pool->element, pool->reserve);
        kfree(pool->element);
        kfree(pool);
    }
    return 0;
}

/* --- taking and giving --- */

static void *pop(struct mempool *pool)
{
    lock_acquire(&pool->lock);
    assert(pool->reserve <= pool->min_nr);
    void *element = pool->reserve ? pool->element[--pool->reserve] : NULL;
    lock_release(&pool->lock);
    return element;
}

static void *take(struct mempool *pool, gfp_t gfp)
{
    void *element = pool->alloc(gfp, pool->data);
    return element ? element : pop(pool);
}

static void *wait_for_one(struct mempool *pool, gfp_t gfp)
{
    void *element;
    lock_acquire(&pool->lock);
    pool->waits++;
    lock_release(&pool->lock);
    while (!(element = take(pool, gfp)))
        let_others_run();
    return element;
}

void *mempool_alloc(struct mempool *pool, gfp_t gfp)
{
    assert(!(gfp & (__GFP_ZERO | __GFP_NOFAIL)));
    bool may_wait = (gfp & __GFP_WAIT) && !in_interrupt();
    gfp = (gfp | __GFP_NOWARN | __GFP_NORETRY) & ~__GFP_RESERVE;
    void *element = take(pool, gfp & ~__GFP_WAIT);
    if (!element && may_wait)
        element = wait_for_one(pool, gfp);
    lock_acquire(&pool->lock);
    pool->in_use += element != NULL;
    lock_release(&pool->lock);
    return element;
}

/* True if the reserve, or a report, is where it goes. */
static bool keep(struct mempool *pool, void *element, vaddr_t caller)
{
    assert(element);
    lock_acquire(&pool->lock);
    bool ours = pool->in_use > 0, room = pool->reserve < pool->min_nr;
    pool->in_use -= ours;
    if (ours && room)
        pool->element[pool->reserve++] = element;
    lock_release(&pool->lock);
    if (!ours)
        report(caller, "mempool: free of %p refused: no element is in use",
               element);
    return !ours || room;
}

void mempool_free(void *element, struct mempool *pool)
{
    if (element && !keep(pool, element, CALLER))
        pool->free(element, pool->data);
}

/* --- resizing --- */

/* Makes `stack` the pool's, with all that is in the old one, of which as much
 * as does not fit goes to the old one's beginning. Returns how much that is. */
static size_t swap_stack(struct mempool *pool, void ***stack, size_t min_nr,
                         size_t added)
{
    void **old = pool->element;
    lock_acquire(&pool->lock);
    size_t kept = min_size(pool->reserve, min_nr);
    assert(added + kept <= min_nr);
    size_t surplus = pool->reserve - kept;
    memcpy(*stack + added, old + surplus, kept * sizeof(*old));
    pool->element = *stack;
    pool->reserve = added + kept;
    pool->min_nr = min_nr;
    lock_release(&pool->lock);
    *stack = old;
    return surplus;
}

int mempool_resize(struct mempool *pool, size_t min_nr)
{
    assert(min_nr > 0);
    size_t more = min_nr > pool->min_nr ? min_nr - pool->min_nr : 0;
    void **stack = alloc_stack(min_nr);
    if (!stack || !alloc_elements(pool, stack, more)) {
        kfree(stack);
        return -ENOMEM;
    }
    size_t surplus = swap_stack(pool, &stack, min_nr, more);
    free_elements(pool, stack, surplus);
    kfree(stack);
    return 0;
}

/* --- looking --- */

void mempool_stats(struct mempool *pool, struct mempool_stats *out)
{
    lock_acquire(&pool->lock);
    *out = (struct mempool_stats){pool->min_nr, pool->reserve, pool->in_use,
                                  pool->waits};
    lock_release(&pool->lock);
}

static const char *check_stack(const struct mempool *pool)
{
    if (pool->reserve > pool->min_nr)
        return "mempool: more in reserve than there is room for";
    for (size_t i = 0; i < pool->reserve; i++)
        for (size_t j = 0; j < i; j++)
            if (pool->element[i] == pool->element[j])
                return "mempool: an element is in reserve twice";
    return NULL;
}

const char *mempool_check(struct mempool *pool)
{
    lock_acquire(&pool->lock);
    const char *wrong = check_stack(pool);
    lock_release(&pool->lock);
    return wrong;
}
