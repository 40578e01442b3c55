/* The heap. H1 to H12 are the defects of the original heap (docs/testing.md);
 * every promise of mm/kheap.h has its check. */
#include "mm/kheap.h"
#include "mm/kdebug.h"
#include "mm/pmm.h"
#include "tests/kernel/support.h"

#include <oct/kview.h>
#include <oct/report.h>
#include <oct/string.h>

static const char dressed[] = "heap debugging makes objects larger";

static size_t live(void)
{
    struct kheap_stats s;
    kheap_stats(&s);
    return s.live;
}

/* A wrong free must be reported, and change nothing. */
static bool refuses(const void *p)
{
    unsigned long reports = report_count();
    size_t bytes = live();
    kfree(p);
    return report_count() == reports + 1 && live() == bytes && !kheap_check();
}

/* H6: exact multiples take no more than they need, and nothing is in front. */
TEST(kheap_no_header)
{
    SKIP_IF(kdebug_on(), dressed);
    size_t before = live();
    char *p[8];
    for (size_t i = 0; i < ARRAY_SIZE(p); i++)
        EXPECT((p[i] = kmalloc(32, GFP_KERNEL)));
    EXPECT(live() == before + 32 * ARRAY_SIZE(p));
    EXPECT(ksize(p[0]) == 32);
    for (size_t i = 0; i < ARRAY_SIZE(p); i++)
        kfree(p[i]);
    char *odd = kmalloc(33, GFP_KERNEL);
    EXPECT(odd && ksize(odd) == 64);
    kfree(odd);
    EXPECT(live() == before);
}

TEST(kheap_alignment)
{
    for (size_t size = 1; size <= 8192;
         size = size < 64 ? size + 1 : size * 2) {
        void *p[3];
        for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
            EXPECT((p[i] = kmalloc(size, GFP_KERNEL)));
            size_t align = is_power_of_two(size) && size <= 4096 ? size : 1;
            EXPECT(is_aligned((uintptr_t)p[i], max_size(align, 32)));
        }
        for (size_t i = 0; i < ARRAY_SIZE(p); i++)
            kfree(p[i]);
    }
    EXPECT(kheap_check() == NULL);
}

/* H4: neighbours never share a tag, so freeing one never frees the other. */
TEST(kheap_neighbours)
{
    SKIP_IF(kdebug_on(), dressed);
    char *a = kmalloc(1, 0), *b = kmalloc(33, 0), *c = kmalloc(1, 0);
    EXPECT(a && b && c);
    kfree(b);
    EXPECT(kheap_check() == NULL);
    char *d = kmalloc(1, 0), *e = kmalloc(1, 0);
    EXPECT(d && e);
    EXPECT(kheap_check() == NULL);
    EXPECT(ksize(a) == 32 && ksize(c) == 32 && ksize(d) == 32);
    kfree(d);
    EXPECT(ksize(e) == 32 && ksize(a) == 32);
    kfree(a);
    kfree(c);
    kfree(e);
    EXPECT(kheap_check() == NULL);
}

/* H5: sizes near the type's limit. */
TEST(kheap_impossible_sizes)
{
    static const size_t below_max[] = {0, 1, 31, 32, 33, 4095, 4096, 4097};
    size_t frames = frames_left();
    for (size_t i = 0; i < ARRAY_SIZE(below_max); i++) {
        EXPECT(!kmalloc((size_t)-1 - below_max[i], __GFP_NOWARN));
        EXPECT(!kmalloc((size_t)-1 / 2 - below_max[i], __GFP_NOWARN));
    }
    EXPECT(!kcalloc((size_t)-1 / 2, 3, __GFP_NOWARN));
    EXPECT(!kmalloc_array((size_t)1 << (WORD_BITS / 2),
                          (size_t)1 << (WORD_BITS / 2), __GFP_NOWARN));
    EXPECT(frames_left() == frames);
    void *nothing = kmalloc(0, GFP_KERNEL);
    EXPECT(nothing != NULL);
    kfree(nothing);
}

TEST(kheap_failure_is_reported)
{
    unsigned long reports = report_count();
    EXPECT(!kmalloc((size_t)-1, __GFP_NOWARN));
    EXPECT(report_count() == reports);
    EXPECT(!kmalloc((size_t)-1, 0));
    EXPECT(report_count() == reports + 1);
}

/* H7, H9: what is not the start of a live object is refused. */
TEST(kheap_wrong_frees)
{
    SKIP_IF(kdebug_on(), dressed);
    static char foreign[64];
    char *p = kmalloc(100, GFP_KERNEL), *q = kmalloc(64, GFP_KERNEL);
    char on_stack[64];
    EXPECT(p && q);
    kfree(NULL);
    EXPECT(refuses(p + 1));
    EXPECT(refuses(p + 32));
    EXPECT(refuses(p + 96));
    EXPECT(refuses(foreign));
    EXPECT(refuses(on_stack));
    EXPECT(refuses((void *)(uintptr_t)-32));
    paddr_t pa = virt_to_phys(p);
    const char *block = phys_to_virt(pmm_run_start(pa, pmm_kind(pa)));
    EXPECT(refuses(block));
    EXPECT(refuses(block + 32));
    kfree(p);
    EXPECT(refuses(p));
    kfree(q);
    EXPECT(ksize(q) == 0 && ksize(NULL) == 0);
}

static void *first_block;

static void remember_block(void *context, const void *block, size_t chunks,
                           const uint8_t *tags)
{
    (void)context, (void)chunks, (void)tags;
    first_block = (void *)(uintptr_t)block;
}

static bool is_tagged(void)
{
    return strcmp(kheap_name(), "tagged") == 0;
}

/* H8: fill a block to its last subblock, and free that. */
TEST(kheap_last_of_block)
{
    SKIP_IF(!is_tagged(), "only the tagged heap has blocks");
    struct kheap_stats s;
    kheap_trim();
    void *p = kmalloc(1, GFP_KERNEL);
    EXPECT(p != NULL);
    kheap_stats(&s);
    void *rest = kmalloc(s.largest, GFP_KERNEL);
    EXPECT(rest != NULL);
    kheap_visit(remember_block, NULL);
    EXPECT(kheap_check() == NULL);
    stamp(rest, s.largest, 1);
    EXPECT(stamped(rest, s.largest, 1));
    kfree(rest);
    EXPECT(kheap_check() == NULL);
    kfree(p);
    EXPECT(first_block != NULL);
}

/* H10: what is free goes back: most of it at once, and all when asked for. */
TEST(kheap_gives_back)
{
    static void *p[1000];
    SKIP_IF(kdebug_on(), dressed);
    kheap_trim();
    size_t frames = frames_left();
    for (size_t i = 0; i < ARRAY_SIZE(p); i++)
        EXPECT((p[i] = kmalloc(3000, GFP_KERNEL)));
    size_t taken = frames - frames_left();
    EXPECT(taken >= ARRAY_SIZE(p) * 3000 / PAGE_SIZE);
    for (size_t i = 0; i < ARRAY_SIZE(p); i++)
        kfree(p[i]);
    EXPECT(frames_left() > frames - taken / 2);
    kheap_trim();
    EXPECT(frames_left() == frames);
}

/* H11: objects of many chunks, up to what there is. */
TEST(kheap_large)
{
    struct frames_stats s;
    bool junk = pmm_set_junk(false);
    pmm_stats(&s);
    size_t size = 8192;
    for (; size < s.free_direct * (PAGE_SIZE / 4); size *= 4) {
        char *p = kmalloc(size + 5, GFP_KERNEL | __GFP_NOWARN);
        if (!p)
            break;
        p[0] = 1;
        p[size + 4] = 2;
        EXPECT(ksize(p) >= size + 5);
        EXPECT(pmm_kind(virt_to_phys(p + size)) == FRAME_HEAP);
        EXPECT(refuses(p + 4096));
        kfree(p);
    }
    pmm_set_junk(junk);
    EXPECT(size > 1024 * 1024);
    EXPECT(kheap_check() == NULL);
}

TEST(kheap_zeroed)
{
    for (size_t size = 1; size <= 5000; size = size * 3 + 1) {
        char *p = kmalloc(size, GFP_KERNEL);
        EXPECT(p);
        memset(p, 0xee, size);
        kfree(p);
        char *zero = kzalloc(size, GFP_KERNEL);
        EXPECT(zero);
        for (size_t i = 0; i < size; i++)
            if (zero[i])
                EXPECT(!"kzalloc gave a byte that is not zero");
        kfree(zero);
    }
    uint32_t *array = kcalloc(100, sizeof(*array), GFP_KERNEL);
    EXPECT(array && array[0] == 0 && array[99] == 0);
    kfree(array);
}

TEST(kheap_duplicates)
{
    char *s = kstrdup("a heap of blocks", GFP_KERNEL);
    EXPECT(s && !strcmp(s, "a heap of blocks"));
    char *m = kmemdup(s, 6, GFP_KERNEL);
    EXPECT(m && !memcmp(m, "a heap", 6));
    kfree(s);
    kfree(m);
}

/* The first and last bytes of what is free are the heap's; in between nothing
 * is left of what was there. */
TEST(kheap_wipes_secrets)
{
    SKIP_IF(kdebug_on(), dressed);
    char *s = kmalloc(256, GFP_KERNEL);
    EXPECT(s);
    memset(s, 'x', 256);
    kfree_sensitive(s);
    for (size_t i = 0; i < 256; i++)
        if (s[i] == 'x' || (i >= 32 && i < 224 && s[i]))
            EXPECT(!"a sensitive byte was left");
}

/* H12: grow and shrink, in place and moved; failure keeps the old object. */
TEST(kheap_realloc)
{
    char *p = krealloc(NULL, 96, GFP_KERNEL);
    EXPECT(p != NULL);
    stamp(p, 96, 7);
    char *q = krealloc(p, 32, GFP_KERNEL);
    EXPECT(q && kheap_check() == NULL);
    EXPECT(!is_tagged() || (q == p && ksize(q) == 32));
    q = krealloc(q, 96, GFP_KERNEL);
    EXPECT(q && kheap_check() == NULL);
    EXPECT(!is_tagged() || (q == p && ksize(q) == 96));
    char *wall = kmalloc(32, GFP_KERNEL);
    char before[32];
    memcpy(before, q, 32);
    q = krealloc(q, 5000, GFP_KERNEL);
    EXPECT(wall && q && ksize(q) >= 5000 && !memcmp(q, before, 32));
    EXPECT(!krealloc(q, (size_t)-1, __GFP_NOWARN));
    EXPECT(ksize(q) >= 5000 && !memcmp(q, before, 32));
    size_t had = ksize(q);
    q = krealloc(q, had + 1000, GFP_KERNEL | __GFP_ZERO);
    EXPECT(q && q[had] == 0 && q[had + 999] == 0);
    unsigned long reports = report_count();
    EXPECT(!krealloc(q + 32, 10, GFP_KERNEL));
    EXPECT(report_count() == reports + 1);
    EXPECT(krealloc(q, 0, GFP_KERNEL) == NULL);
    kfree(wall);
}

/* A power of two is aligned to its size also after growing to it. */
TEST(kheap_realloc_alignment)
{
    char *a = kmalloc(32, 0), *b = kmalloc(32, 0);
    EXPECT(a && b);
    for (size_t size = 64; size <= 4096; size *= 2) {
        EXPECT((b = krealloc(b, size, 0)));
        EXPECT(is_aligned((uintptr_t)b, size));
    }
    kfree(a);
    kfree(b);
}

/* What a device with short addresses is to read, also when the heap has room
 * elsewhere. */
TEST(kheap_for_devices)
{
    char *other = kmalloc(100, GFP_KERNEL);
    char *p = kmalloc(100, GFP_KERNEL | GFP_DMA);
    char *large = kmalloc(20000, GFP_KERNEL | GFP_DMA);
    EXPECT(other && p && large);
    EXPECT(virt_to_phys(p) + 100 <= DMA_LIMIT);
    EXPECT(virt_to_phys(large) + 20000 <= DMA_LIMIT);
    EXPECT(kheap_check() == NULL);
    kfree(p);
    kfree(large);
    kfree(other);
}

/* H2, H13: memory runs out at the k-th frame, for every k. */
TEST(kheap_out_of_memory)
{
    kheap_trim();
    size_t frames = frames_left();
    for (long k = 0;; k++) {
        void *p[4];
        size_t got = 0;
        pmm_fail_after(k);
        for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
            p[i] = kmalloc(20000, __GFP_NOWARN);
            got += p[i] != NULL;
        }
        pmm_fail_after(-1);
        EXPECT(kheap_check() == NULL);
        for (size_t i = 0; i < ARRAY_SIZE(p); i++)
            kfree(p[i]);
        kheap_trim();
        EXPECT(frames_left() == frames);
        if (got == ARRAY_SIZE(p))
            break;
        EXPECT(k < 100);
    }
}

#define SLOTS 200

struct owned {
    char *p;
    size_t size;
};

static size_t random_size(struct random *r)
{
    switch (random_below(r, 8)) {
    case 0:
        return (size_t)32 << random_below(r, 8);
    case 1:
        return random_below(r, 20000);
    default:
        return 1 + random_below(r, 300);
    }
}

static void random_step(struct test_result *result, struct owned *o,
                        uint32_t owner, struct random *r)
{
    if (!o->p) {
        o->size = random_size(r);
        o->p = kmalloc(o->size, GFP_KERNEL);
        EXPECT(o->p && ksize(o->p) >= o->size);
        stamp(o->p, o->size, owner);
    } else if (random_below(r, 4) == 0) {
        size_t size = 1 + random_size(r);
        char *from = o->p;
        EXPECT(stamped(from, o->size, owner));
        EXPECT((o->p = krealloc(from, size, GFP_KERNEL)));
        o->size = size;
        stamp(o->p, o->size, owner);
    } else {
        EXPECT(stamped(o->p, o->size, owner));
        kfree(o->p);
        o->p = NULL;
    }
}

/* H3: after every step the counts are those of the tags. */
TEST(kheap_random_owners)
{
    static struct owned slot[SLOTS];
    struct random r = random_start(2);
    size_t before = live();
    memset(slot, 0, sizeof(slot));
    for (uint32_t step = 0; step < 3000; step++) {
        uint32_t i = random_below(&r, SLOTS);
        CALL(random_step, &slot[i], i, &r);
        if (step < 300 || step % 50 == 0)
            EXPECT(kheap_check() == NULL);
    }
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (slot[i].p)
            EXPECT(stamped(slot[i].p, slot[i].size, i));
        kfree(slot[i].p);
    }
    kheap_trim(); /* what debugging holds back */
    EXPECT(live() == before);
    EXPECT(kheap_check() == NULL);
}
