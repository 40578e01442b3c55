/* Object caches. Each test makes its own and destroys it: what it leaves behind
 * would show as frames lost. */
#include "mm/slab.h"
#include "mm/pmm.h"
#include "tests/kernel/support.h"

#include <oct/errno.h>
#include <oct/kview.h>
#include <oct/report.h>
#include <oct/string.h>

static struct kmem_cache *plain(size_t size)
{
    return kmem_cache_create("test", size, 0, 0, NULL);
}

static struct slab_stats stats(struct kmem_cache *c)
{
    struct slab_stats s;
    kmem_cache_stats(c, &s);
    return s;
}

static unsigned long reports_before;

static void expect_reports(void)
{
    reports_before = report_count();
}

static bool reported(unsigned long n)
{
    return report_count() == reports_before + n;
}

#define MARK 0x0b1ec7u

struct made {
    uint32_t mark, made, used;
};

static size_t made_count;

static void make(void *p)
{
    *(struct made *)p = (struct made){MARK, 1, 0};
    made_count++;
}

/* Once an object, when its slab is made; objects keep what was in them. */
TEST(slab_constructor)
{
    static struct made *p[300];
    struct kmem_cache *c = kmem_cache_create("test", sizeof(**p), 0, 0, make);
    EXPECT(c);
    made_count = 0;
    for (uint32_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
            EXPECT((p[i] = kmem_cache_alloc(c, GFP_KERNEL)));
            EXPECT(p[i]->mark == MARK && p[i]->made == 1);
            EXPECT(round == 0 || p[i]->used <= round);
            p[i]->used++;
        }
        EXPECT(made_count >= stats(c).total);
        EXPECT(round > 0 || made_count == stats(c).total);
        for (size_t i = 0; i < ARRAY_SIZE(p); i++)
            kmem_cache_free(c, p[i]);
    }
    struct made *again = kmem_cache_alloc(c, GFP_KERNEL);
    EXPECT(again && again->mark == MARK && again->made == 1);
    size_t made = made_count;
    again->used = 77;
    kmem_cache_free(c, again);
    EXPECT(kmem_cache_alloc(c, GFP_KERNEL) == again);
    EXPECT(again->used == 77 && made_count == made);
    kmem_cache_free(c, again);
    EXPECT(kmem_cache_destroy(c) == 0);
}

/* Poison takes the constructed state away, so it is made anew. */
TEST(slab_constructor_poisoned)
{
    struct kmem_cache *c =
        kmem_cache_create("test", sizeof(struct made), 0, SLAB_POISON, make);
    EXPECT(c);
    made_count = 0;
    for (size_t i = 0; i < 3; i++) {
        struct made *p = kmem_cache_alloc(c, GFP_KERNEL);
        EXPECT(p && p->mark == MARK && p->used == 0);
        EXPECT(made_count == i + 1);
        p->used = 5;
        kmem_cache_free(c, p);
        EXPECT(p->mark != MARK && !slab_check());
    }
    EXPECT(kmem_cache_destroy(c) == 0);
}

TEST(slab_zeroed)
{
    static const unsigned flags[] = {0, SLAB_POISON, SLAB_RED_ZONE};
    for (size_t k = 0; k < ARRAY_SIZE(flags); k++) {
        struct kmem_cache *c = kmem_cache_create("test", 50, 0, flags[k], NULL);
        EXPECT(c);
        for (size_t round = 0; round < 2; round++) {
            char *p = kmem_cache_zalloc(c, GFP_KERNEL);
            EXPECT(p && p[0] == 0 && !memcmp(p, p + 1, 49));
            memset(p, 0xee, 50);
            kmem_cache_free(c, p);
        }
        EXPECT(kmem_cache_destroy(c) == 0);
    }
}

/* A wrong free is reported, and changes nothing. */
static bool refuses(struct kmem_cache *c, const void *p)
{
    struct slab_stats before = stats(c);
    expect_reports();
    kmem_cache_free(c, p);
    struct slab_stats after = stats(c);
    return reported(1) && !memcmp(&before, &after, sizeof(before)) &&
           !slab_check();
}

TEST(slab_wrong_frees)
{
    static char foreign[64];
    char on_stack[64];
    struct kmem_cache *c = plain(100), *other = plain(100);
    EXPECT(c && other);
    char *p = kmem_cache_alloc(c, GFP_KERNEL);
    char *q = kmem_cache_alloc(other, GFP_KERNEL);
    paddr_t frame = pmm_alloc();
    EXPECT(p && q && frame);
    kmem_cache_free(c, NULL);
    EXPECT(refuses(c, p + 1));
    EXPECT(refuses(c, p + 99));
    EXPECT(refuses(c, p + 104));
    EXPECT(refuses(c, q));
    EXPECT(refuses(other, p));
    EXPECT(refuses(c, foreign));
    EXPECT(refuses(c, on_stack));
    EXPECT(refuses(c, c));
    EXPECT(refuses(c, phys_to_virt(frame)));
    EXPECT(refuses(c, (void *)(uintptr_t)-32));
    const char *slab = phys_to_virt(pmm_run_start(virt_to_phys(p), FRAME_SLAB));
    EXPECT(refuses(c, slab));
    EXPECT(refuses(c, slab + stats(c).frames * PAGE_SIZE - 1));
    kmem_cache_free(c, p);
    EXPECT(refuses(c, p));
    EXPECT(kmem_cache_shrink(c) > 0);
    EXPECT(refuses(c, p));
    kmem_cache_free(other, q);
    EXPECT(pmm_free(frame) == 0);
    EXPECT(kmem_cache_destroy(c) == 0 && kmem_cache_destroy(other) == 0);
}

/* Of the frame that p lies in. */
static const void *last_byte(const void *p)
{
    return (const void *)((uintptr_t)p | (PAGE_SIZE - 1));
}

TEST(slab_find)
{
    struct kmem_cache *c = plain(1000);
    EXPECT(c);
    char *p = kmem_cache_alloc(c, GFP_KERNEL);
    EXPECT(p);
    struct slab_object o = kmem_cache_find(p);
    EXPECT(o.cache == c && o.start == p && !o.refused);
    o = kmem_cache_find(p + 99);
    EXPECT(o.cache == c && o.start == p && o.refused);
    o = kmem_cache_find((void *)(uintptr_t)round_down((uintptr_t)p, PAGE_SIZE));
    EXPECT(o.cache == c && !o.start && o.refused);
    o = kmem_cache_find(last_byte(p));
    EXPECT(o.cache == c && !o.start && o.refused);
    o = kmem_cache_find(&o);
    EXPECT(!o.cache && !o.start && o.refused);
    EXPECT(kmem_cache_put(c, p + 1) && !kmem_cache_put(c, p));
    EXPECT(kmem_cache_find(p).refused && kmem_cache_destroy(c) == 0);
}

TEST(slab_destroy_refused)
{
    struct kmem_cache *c = plain(64);
    EXPECT(c);
    void *p = kmem_cache_alloc(c, GFP_KERNEL);
    EXPECT(p);
    expect_reports();
    EXPECT(kmem_cache_destroy(c) == -EBUSY);
    EXPECT(reported(1) && stats(c).live == 1 && !slab_check());
    kmem_cache_free(c, p);
    EXPECT(kmem_cache_destroy(c) == 0);
}

/* Objects that come from the slabs and go there at once, for they are watched.
 */
static struct kmem_cache *watched(size_t size)
{
    return kmem_cache_create("test", size, 0, SLAB_RED_ZONE, NULL);
}

/* One empty slab is kept; shrinking gives it back too. */
TEST(slab_shrink)
{
    void *p[100];
    struct kmem_cache *c = watched(1000);
    EXPECT(c);
    size_t frames = frames_left();
    EXPECT(kmem_cache_shrink(c) == 0);
    EXPECT(kmem_cache_alloc_bulk(c, GFP_KERNEL, ARRAY_SIZE(p), p));
    EXPECT(kmem_cache_shrink(c) == 0);
    EXPECT(stats(c).slabs > 2);
    kmem_cache_free_bulk(c, ARRAY_SIZE(p), p);
    struct slab_stats s = stats(c);
    EXPECT(s.slabs == 1 && s.live == 0 && s.cached == 0);
    EXPECT(frames_left() == frames - s.frames);
    EXPECT(kmem_cache_shrink(c) == s.frames);
    EXPECT(frames_left() == frames && stats(c).slabs == 0 && !slab_check());
    EXPECT(kmem_cache_destroy(c) == 0);
}

/* Partly used slabs are filled before the empty one is begun. */
TEST(slab_fills_partly_used)
{
    void *p[4], *more[4];
    struct kmem_cache *c = watched(1500); /* a few to a slab */
    EXPECT(c && kmem_cache_alloc_bulk(c, GFP_KERNEL, 1, p));
    size_t per_slab = stats(c).total;
    EXPECT(per_slab >= 2 && per_slab <= 20);
    void *rest[20];
    EXPECT(kmem_cache_alloc_bulk(c, GFP_KERNEL, per_slab - 1, rest));
    EXPECT(kmem_cache_alloc_bulk(c, GFP_KERNEL, 1, more));
    EXPECT(stats(c).slabs == 2);
    kmem_cache_free(c, p[0]);
    kmem_cache_free(c, more[0]); /* its slab is the empty one */
    EXPECT(stats(c).slabs == 2 && stats(c).live == per_slab - 1);
    EXPECT(kmem_cache_alloc(c, GFP_KERNEL) == p[0]);
    kmem_cache_free(c, p[0]);
    kmem_cache_free_bulk(c, per_slab - 1, rest);
    EXPECT(stats(c).slabs == 1 && kmem_cache_destroy(c) == 0);
}

/* The frame manager has caches shrunk before it says no. */
TEST(slab_pressure)
{
    struct kmem_cache *c = plain(1000);
    EXPECT(c);
    kmem_cache_free(c, kmem_cache_alloc(c, GFP_KERNEL));
    EXPECT(stats(c).slabs == 1);
    pmm_fail_after(0);
    paddr_t none = pmm_alloc_gfp(1, PAGE_SIZE, DIRECT_END, GFP_NOWAIT);
    EXPECT(!none && stats(c).slabs == 1);
    none = pmm_alloc_gfp(1, PAGE_SIZE, DIRECT_END, GFP_KERNEL | __GFP_NORETRY);
    pmm_fail_after(-1);
    EXPECT(!none && stats(c).slabs == 0 && !slab_check());
    EXPECT(kmem_cache_destroy(c) == 0);
}

static void count_caches(void *context, const struct slab_stats *s)
{
    size_t *count = context;
    count[0]++;
    count[1] += s->live;
}

static void count_object(void *context, void *p)
{
    ++*(size_t *)context;
    *(char *)p = 'x';
}

/* Every live object, and none that is free. */
TEST(slab_each)
{
    static char *p[300];
    struct kmem_cache *c = plain(40);
    size_t count = 0;
    EXPECT(c);
    for (size_t i = 0; i < ARRAY_SIZE(p); i++)
        EXPECT((p[i] = kmem_cache_zalloc(c, GFP_KERNEL)));
    for (size_t i = 200; i < ARRAY_SIZE(p); i++)
        kmem_cache_free(c, p[i]);
    kmem_cache_each(c, count_object, &count);
    EXPECT(count == 200);
    for (size_t i = 0; i < 200; i++) {
        EXPECT(*p[i] == 'x');
        kmem_cache_free(c, p[i]);
    }
    EXPECT(kmem_cache_destroy(c) == 0);
}

static void see_test(void *context, const struct slab_stats *s)
{
    if (!strcmp(s->name, "a name of more than thirty-one "))
        *(struct slab_stats *)context = *s;
}

TEST(slab_visit)
{
    size_t before[2] = {0, 0}, after[2] = {0, 0};
    struct slab_stats seen = {0};
    kmem_cache_visit(count_caches, before);
    struct kmem_cache *c = kmem_cache_create(
        "a name of more than thirty-one bytes", 40, 0, SLAB_PANIC, NULL);
    void *p = kmem_cache_alloc(c, GFP_KERNEL);
    EXPECT(p);
    kmem_cache_visit(count_caches, after);
    kmem_cache_visit(see_test, &seen);
    EXPECT(after[0] == before[0] + 1);
    /* The object, the cache itself, and a rack and a magazine for it. */
    EXPECT(after[1] == before[1] + 4);
    EXPECT(seen.size == 40 && seen.live == 1 && seen.slabs == 1);
    EXPECT(seen.total > 64 && seen.frames == 1);
    kmem_cache_free(c, p);
    EXPECT(kmem_cache_destroy(c) == 0);
}
