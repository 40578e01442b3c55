/* What is true of the heap only when it is made of caches (HEAP=slab). The rest
 * is in kheap.c, for either heap. */
#include "mm/kdebug.h"
#include "mm/kheap_backend.h"
#include "mm/pmm.h"
#include "mm/slab.h"
#include "tests/kernel/support.h"

#include <oct/kview.h>
#include <oct/string.h>

#define CLASS_MAX ((size_t)3072)
#define NEEDS_SLAB                                                             \
    SKIP_IF(strcmp(kheap->ops->name, "slab") != 0, "not this HEAP")

static enum frame_kind kind_at(const void *p)
{
    return pmm_kind(virt_to_phys(p));
}

static void *heap_alloc(size_t size, gfp_t flags)
{
    return kheap->ops->alloc(kheap, size, flags);
}

static const char *heap_free(const void *p)
{
    return kheap->ops->free(kheap, p);
}

static struct heap_object heap_find(const void *p)
{
    return kheap->ops->find(kheap, p);
}

static bool heap_resize(void *p, size_t size)
{
    return kheap->ops->resize(kheap, p, size);
}

static const char *heap_check(void)
{
    return kheap->ops->check(kheap);
}

/* Frames that an object takes, but for its descriptor. */
static size_t frames_of(size_t size, gfp_t flags)
{
    void *other = heap_alloc((size_t)2 * PAGE_SIZE, flags);
    size_t before = frames_left();
    void *p = heap_alloc(size, flags);
    size_t taken = before - frames_left();
    bool freed = p && other && !heap_free(p) && !heap_free(other);
    return freed ? taken : 0;
}

/* Objects by class; whole frames beyond, with nothing besides. */
TEST(slab_heap_classes)
{
    static const size_t sizes[][2] = {
        {0, 32},      {1, 32},      {33, 64},     {65, 96},      {97, 128},
        {200, 256},   {300, 384},   {1025, 1536}, {2049, 3072},  {3073, 4096},
        {4096, 4096}, {4097, 8192}, {8192, 8192}, {8193, 12288},
    };
    NEEDS_SLAB;
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        void *p = heap_alloc(sizes[i][0], GFP_KERNEL);
        EXPECT(p && heap_find(p).size == sizes[i][1]);
        EXPECT(kind_at(p) == (sizes[i][1] < 4096 ? FRAME_SLAB : FRAME_HEAP));
        EXPECT(!heap_check() && !heap_free(p));
    }
    EXPECT(frames_of(4096, GFP_KERNEL) == 1);
    EXPECT(frames_of(20000, GFP_KERNEL) == 5);
}

/* Grows in place to the class's size, and no further; does not shrink to where
 * most would lie idle, and keeps powers of two aligned. */
TEST(slab_heap_resize)
{
    NEEDS_SLAB;
    SKIP_IF(kdebug_on(), "heap debugging makes objects larger");
    char *p[8], *odd = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
        EXPECT((p[i] = heap_alloc(90, GFP_KERNEL)));
        odd = is_aligned((uintptr_t)p[i], 64) ? odd : p[i];
    }
    EXPECT(odd); /* some are neighbours */
    EXPECT(heap_resize(odd, 96) && !heap_resize(odd, 97));
    EXPECT(heap_resize(odd, 33) && !heap_resize(odd, 64));
    EXPECT(!heap_resize(odd, 24) && !heap_resize(odd + 32, 96));
    for (size_t i = 0; i < ARRAY_SIZE(p); i++)
        EXPECT(!heap_free(p[i]));
    char *large = heap_alloc(20000, GFP_KERNEL);
    EXPECT(large && heap_resize(large, 20480));
    EXPECT(!heap_resize(large, 20481) && !heap_resize(large, 5000));
    EXPECT(!heap_free(large));
}

/* An object of somebody's cache is not kmalloc's to free. */
TEST(slab_heap_foreign)
{
    NEEDS_SLAB;
    static const size_t sizes[] = {64, 100, 5000, 64 * KiB};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct kmem_cache *c = kmem_cache_create("test", sizes[i], 0, 0, NULL);
        EXPECT(c);
        void *p = kmem_cache_alloc(c, GFP_KERNEL);
        EXPECT(p && heap_free(p) && heap_find(p).refused);
        kmem_cache_free(c, p);
        EXPECT(kmem_cache_destroy(c) == 0);
    }
    char *large = heap_alloc(20000, GFP_KERNEL);
    EXPECT(large && heap_free(large + 1) && heap_free(large + 4096));
    EXPECT(!heap_check() && !heap_free(large));
    EXPECT(heap_free(large));
}

/* Frames, chained through their first bytes. */
static paddr_t *link_in(paddr_t pa)
{
    return phys_to_virt(pa);
}

static paddr_t take_all(void)
{
    paddr_t head = 0, pa;
    for (; (pa = pmm_alloc()); head = pa)
        *link_in(pa) = head;
    return head;
}

/* Frees all of the chain, or every other frame of memory. Returns the rest. */
static paddr_t give_some(paddr_t head, bool all)
{
    paddr_t rest = 0, next;
    for (paddr_t pa = head; pa; pa = next) {
        next = *link_in(pa);
        if (all || (pa / PAGE_SIZE) % 2) {
            if (pmm_free(pa))
                return 0;
        } else {
            *link_in(pa) = rest;
            rest = pa;
        }
    }
    return rest;
}

/* Where no whole slab is to be had, a frame will do. */
TEST(slab_heap_broken_up)
{
    NEEDS_SLAB;
    bool junk = pmm_set_junk(false);
    kheap->ops->trim(kheap);
    paddr_t taken = give_some(take_all(), false);
    void *small = heap_alloc(100, GFP_NOWAIT);
    void *p = heap_alloc(2048, GFP_NOWAIT);
    void *none = heap_alloc(4097, GFP_NOWAIT);
    const char *wrong = heap_check();
    give_some(taken, true);
    pmm_set_junk(junk);
    EXPECT(taken && small && p && !none && !wrong);
    EXPECT(kind_at(small) == FRAME_SLAB && kind_at(p) == FRAME_HEAP);
    EXPECT(heap_find(p).size == 4096);
    EXPECT(!heap_free(p) && !heap_free(small));
}

/* Below the limit of short-sighted devices, though the class has objects. */
TEST(slab_heap_dma)
{
    NEEDS_SLAB;
    void *other = heap_alloc(100, GFP_KERNEL);
    void *p = heap_alloc(100, GFP_KERNEL | GFP_DMA);
    EXPECT(other && p && kind_at(p) == FRAME_HEAP);
    EXPECT(virt_to_phys(p) < DMA_LIMIT && heap_find(p).size == 4096);
    EXPECT(!heap_check() && !heap_free(p) && !heap_free(other));
}

struct sum {
    size_t objects, bytes;
};

static void add(void *context, void *p, size_t size)
{
    struct sum *sum = context;
    sum->objects++;
    sum->bytes += heap_find(p).refused ? 0 : size;
}

TEST(slab_heap_each)
{
    NEEDS_SLAB;
    static const size_t sizes[] = {1, 50, 3000, 4096, 9000, 40000};
    void *p[ARRAY_SIZE(sizes)];
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        EXPECT((p[i] = heap_alloc(sizes[i], GFP_KERNEL)));
    struct kheap_stats s;
    struct sum sum = {0, 0};
    kheap->ops->stats(kheap, &s);
    kheap->ops->each(kheap, add, &sum);
    EXPECT(sum.objects == s.objects && sum.bytes == s.live);
    EXPECT(s.objects >= 6 && s.chunks * PAGE_SIZE >= s.live + s.free);
    EXPECT(s.largest > 0 && s.largest <= 3072);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        EXPECT(!heap_free(p[i]));
    EXPECT(!heap_check());
}

/* By a class whose objects are aligned so, or by frames. */
TEST(slab_heap_aligned)
{
    NEEDS_SLAB;
    static const size_t sizes[] = {0, 1, 33, 100, 700, 1537, 3072, 5000};
    for (size_t align = 1; align <= 64 * KiB; align *= 2)
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
            char *p =
                kheap->ops->alloc_aligned(kheap, sizes[i], align, GFP_KERNEL);
            EXPECT(p && is_aligned((uintptr_t)p, align));
            EXPECT(heap_find(p).size >= sizes[i]);
            EXPECT(align > 1024 || sizes[i] > CLASS_MAX ||
                   kind_at(p) == FRAME_SLAB);
            EXPECT(!heap_free(p));
        }
    EXPECT(!heap_check());
}

/* Heaps over the same frames keep their objects apart, and end with all. */
TEST(slab_heap_of_its_own)
{
    size_t frames = frames_left();
    struct heap *h = heap_create(&slab_heap, &pmm, "test");
    EXPECT(h);
    for (size_t size = 1; size < 100 * KiB; size = size * 2 + 1) {
        void *p = h->ops->alloc(h, size, GFP_KERNEL), *q = kmalloc(size, 0);
        EXPECT(p && q && !h->ops->find(h, p).refused);
        EXPECT(h->ops->free(h, q) && heap_free(p));
        stamp(p, size, 1);
        stamp(q, size, 2);
        EXPECT(stamped(p, size, 1) && stamped(q, size, 2));
        kfree(q);
    }
    struct kheap_stats s;
    h->ops->stats(h, &s);
    EXPECT(s.objects == 16 && !h->ops->check(h) && !kheap_check());
    heap_destroy(h);
    kheap_trim();
    EXPECT(frames_left() == frames);
}
