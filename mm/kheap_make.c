/* Making and ending a heap of either kind. Its own structure lies in frames of
 * the manager that it takes memory from. */
#include "mm/kheap_backend.h"

#include <oct/assert.h>
#include <oct/string.h>

static size_t frames_of(const struct heap_ops *ops)
{
    return (ops->bytes + PAGE_SIZE - 1) / PAGE_SIZE;
}

static size_t shrink(struct shrinker *s)
{
    struct heap *h = container_of(s, struct heap, shrinker);
    return h->ops->trim(h);
}

struct heap *heap_create(const struct heap_ops *ops, struct frames *frames,
                         const char *name)
{
    size_t n = frames_of(ops);
    paddr_t pa =
        frames_alloc_gfp(frames, n, PAGE_SIZE, frames->direct_end, GFP_KERNEL);
    if (!pa)
        return NULL;
    struct heap *h = frames_view(frames, pa);
    memset(h, 0, n * PAGE_SIZE);
    h->ops = ops;
    h->frames = frames;
    h->shrinker = (struct shrinker){.name = name, .shrink = shrink};
    if (!ops->init(h)) {
        frames_free(frames, pa, n);
        return NULL;
    }
    frames_add_shrinker(frames, &h->shrinker);
    return h;
}

void heap_destroy(struct heap *h)
{
    struct frames *frames = h->frames;
    const struct heap_ops *ops = h->ops;
    frames_remove_shrinker(frames, &h->shrinker);
    ops->destroy(h);
    int error = frames_free(frames, frames_address(frames, h), frames_of(ops));
    assert(!error);
}
