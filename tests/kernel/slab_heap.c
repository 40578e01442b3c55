/* What is true of the heap only when it is made of caches (HEAP=slab). The rest
 * is in kheap.c, for either heap. */
#include "mm/kdebug.h"
#include "mm/kheap_backend.h"
#include "mm/pmm.h"
#include "mm/slab.h"
#include "tests/kernel/support.h"

#include <oct/kview.h>
#include <oct/string.h>

#define NEEDS_SLAB                                                             \
    SKIP_IF(strcmp(HEAP_BACKEND.name, "slab") != 0, "not this HEAP")

static enum frame_kind kind_at(const void *p)
{
    return pmm_kind(virt_to_phys(p));
}

static size_t frames_of(size_t size, gfp_t flags)
{
    size_t before = frames_free();
    void *p = slab_heap.alloc(size, flags);
    size_t taken = before - frames_free();
    return p && !slab_heap.free(p) ? taken : 0;
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
        void *p = slab_heap.alloc(sizes[i][0], GFP_KERNEL);
        EXPECT(p && slab_heap.find(p).size == sizes[i][1]);
        EXPECT(kind_at(p) == (sizes[i][1] < 4096 ? FRAME_SLAB : FRAME_HEAP));
        EXPECT(!slab_heap.check() && !slab_heap.free(p));
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
    char *p[2];
    for (size_t i = 0; i < 2; i++)
        EXPECT((p[i] = slab_heap.alloc(90, GFP_KERNEL)));
    char *odd = is_aligned((uintptr_t)p[0], 64) ? p[1] : p[0];
    EXPECT(slab_heap.resize(odd, 96) && !slab_heap.resize(odd, 97));
    EXPECT(slab_heap.resize(odd, 33) && !slab_heap.resize(odd, 64));
    EXPECT(!slab_heap.resize(odd, 24) && !slab_heap.resize(odd + 32, 96));
    EXPECT(!slab_heap.free(p[0]) && !slab_heap.free(p[1]));
    char *large = slab_heap.alloc(20000, GFP_KERNEL);
    EXPECT(large && slab_heap.resize(large, 20480));
    EXPECT(!slab_heap.resize(large, 20481) && !slab_heap.resize(large, 5000));
    EXPECT(!slab_heap.free(large));
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
        EXPECT(p && slab_heap.free(p) && slab_heap.find(p).refused);
        kmem_cache_free(c, p);
        EXPECT(kmem_cache_destroy(c) == 0);
    }
    char *large = slab_heap.alloc(20000, GFP_KERNEL);
    EXPECT(large && slab_heap.free(large + 1) && slab_heap.free(large + 4096));
    EXPECT(!slab_heap.check() && !slab_heap.free(large));
    EXPECT(slab_heap.free(large));
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
    slab_heap.trim();
    paddr_t taken = give_some(take_all(), false);
    void *small = slab_heap.alloc(100, GFP_NOWAIT);
    void *p = slab_heap.alloc(2048, GFP_NOWAIT);
    void *none = slab_heap.alloc(4097, GFP_NOWAIT);
    const char *wrong = slab_heap.check();
    give_some(taken, true);
    pmm_set_junk(junk);
    EXPECT(taken && small && p && !none && !wrong);
    EXPECT(kind_at(small) == FRAME_SLAB && kind_at(p) == FRAME_HEAP);
    EXPECT(slab_heap.find(p).size == 4096);
    EXPECT(!slab_heap.free(p) && !slab_heap.free(small));
}

/* Below the limit of short-sighted devices, though the class has objects. */
TEST(slab_heap_dma)
{
    NEEDS_SLAB;
    void *other = slab_heap.alloc(100, GFP_KERNEL);
    void *p = slab_heap.alloc(100, GFP_KERNEL | GFP_DMA);
    EXPECT(other && p && kind_at(p) == FRAME_HEAP);
    EXPECT(virt_to_phys(p) < DMA_LIMIT && slab_heap.find(p).size == 4096);
    EXPECT(!slab_heap.check() && !slab_heap.free(p) && !slab_heap.free(other));
}

struct sum {
    size_t objects, bytes;
};

static void add(void *context, void *p, size_t size)
{
    struct sum *sum = context;
    sum->objects++;
    sum->bytes += slab_heap.find(p).refused ? 0 : size;
}

TEST(slab_heap_each)
{
    NEEDS_SLAB;
    static const size_t sizes[] = {1, 50, 3000, 4096, 9000, 40000};
    void *p[ARRAY_SIZE(sizes)];
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        EXPECT((p[i] = slab_heap.alloc(sizes[i], GFP_KERNEL)));
    struct kheap_stats s;
    struct sum sum = {0, 0};
    slab_heap.stats(&s);
    slab_heap.each(add, &sum);
    EXPECT(sum.objects == s.objects && sum.bytes == s.live);
    EXPECT(s.objects >= 6 && s.chunks * PAGE_SIZE >= s.live + s.free);
    EXPECT(s.largest > 0 && s.largest <= 3072);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        EXPECT(!slab_heap.free(p[i]));
    EXPECT(!slab_heap.check());
}
