/* Instances one by one and side by side, in one thread unless said. */
#include "tests/lab/lab.h"

#include <pthread.h>

enum { OBJECTS = 500 };

struct pile { /* of objects of one heap */
    struct oct_frames *frames;
    struct oct_heap *heap;
    void *at[OBJECTS];
    size_t size[OBJECTS];
    unsigned owner;
};

static const char *make_pile(struct pile *p, unsigned owner)
{
    uint64_t random = owner + 1;
    p->owner = owner;
    p->frames = oct_frames_create(32 * MIB, lab_manager);
    EXPECT(p->frames);
    p->heap = oct_heap_create(p->frames, lab_kind);
    EXPECT(p->heap);
    for (unsigned i = 0; i < OBJECTS; i++) {
        p->size[i] = 16 + lab_random(&random) % (i % 50 ? 600 : 40000);
        p->at[i] = oct_alloc(p->heap, p->size[i]);
        EXPECT(p->at[i] && oct_size(p->heap, p->at[i]) >= p->size[i]);
        lab_stamp(p->at[i], p->size[i], owner);
    }
    return NULL;
}

static const char *check_pile(struct pile *p)
{
    for (unsigned i = 0; i < OBJECTS; i++)
        EXPECT(lab_is_stamped(p->at[i], p->size[i], p->owner));
    EXPECT(!oct_heap_check(p->heap));
    EXPECT(!oct_frames_check(p->frames));
    return NULL;
}

static void destroy_pile(struct pile *p)
{
    oct_heap_destroy(p->heap);
    oct_frames_destroy(p->frames);
}

static const char *two_at_once(void)
{
    static struct pile a, b;
    const char *why = make_pile(&a, 1);
    unsigned reports = lab_reports();
    if (why || (why = make_pile(&b, 2)))
        return why;
    EXPECT(oct_free(b.heap, a.at[7]) == -EINVAL);
    EXPECT(oct_free(a.heap, b.at[7]) == -EINVAL);
    EXPECT(oct_size(b.heap, a.at[7]) == 0);
    EXPECT(lab_reports() == reports + 2);
    if ((why = check_pile(&a)))
        return why;
    destroy_pile(&a);
    if ((why = check_pile(&b)))
        return why;
    for (unsigned i = 0; i < OBJECTS; i++)
        EXPECT(oct_free(b.heap, b.at[i]) == 0);
    EXPECT(!oct_heap_check(b.heap));
    destroy_pile(&b);
    return NULL;
}

static const char *heap_gives_back(void)
{
    struct oct_frames_stats before, after;
    struct oct_frames *f = oct_frames_create(64 * MIB, lab_manager);
    EXPECT(f);
    oct_frames_stats(f, &before);
    EXPECT(before.total > 64 * MIB / OCT_FRAME * 9 / 10);
    for (unsigned round = 0; round < 20; round++) {
        struct oct_heap *h = oct_heap_create(f, lab_kind);
        EXPECT(h);
        for (size_t size = 1; size < MIB; size = size * 3 / 2 + 1)
            EXPECT(oct_alloc(h, size));
        oct_heap_destroy(h);
        oct_frames_stats(f, &after);
        EXPECT(after.free == before.free);
        EXPECT(!oct_frames_check(f));
    }
    oct_frames_destroy(f);
    return NULL;
}

/* Pages of address space that the process has. */
static long mapped(void)
{
    long pages = -1;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld", &pages) != 1)
        pages = -1;
    if (file)
        fclose(file);
    return pages;
}

static const char *destroy_gives_back(void)
{
    static struct pile p;
    long before = 0;
    for (unsigned round = 0; round < 30; round++) {
        const char *why = make_pile(&p, round);
        if (why)
            return why;
        destroy_pile(&p);
        if (round == 9)
            before = mapped();
    }
    EXPECT(before > 0);
    EXPECT(mapped() <= before + 64);
    return NULL;
}

static const char *refused(struct oct_heap *h, void *p)
{
    unsigned reports = lab_reports();
    EXPECT(oct_free(h, p) == -EINVAL);
    EXPECT(lab_reports() > reports);
    EXPECT(oct_size(h, p) == 0);
    EXPECT(!oct_heap_check(h));
    return NULL;
}

static const char *wrong_frees(void)
{
    static char foreign[64];
    struct oct_frames *f = oct_frames_create(32 * MIB, lab_manager);
    struct oct_heap *h = f ? oct_heap_create(f, lab_kind) : NULL;
    EXPECT(h);
    char *kept = oct_alloc(h, 200), *big = oct_alloc(h, 50000);
    char *freed = oct_alloc(h, 200), *freed_big = oct_alloc(h, 50000);
    EXPECT(kept && big && freed && freed_big);
    uint64_t frame = oct_frame_alloc(f);
    EXPECT(frame);
    lab_stamp(kept, 200, 1);
    lab_stamp(big, 50000, 2);
    EXPECT(oct_free(h, freed) == 0 && oct_free(h, freed_big) == 0);
    void *wrong[] = {
        freed,     freed_big,    kept + 1,   kept + 8, kept + 32,
        kept - 1,  kept - 32,    big + 4096, big + 32, big - 32,
        foreign,   foreign + 32, h,          f,        oct_frame_at(f, frame),
        (void *)1, (void *)-4096};
    for (unsigned i = 0; i < COUNT(wrong); i++) {
        const char *why = refused(h, wrong[i]);
        if (why) {
            fprintf(stderr, "# wrong free %u\n", i);
            return why;
        }
    }
    EXPECT(lab_is_stamped(kept, 200, 1) && lab_is_stamped(big, 50000, 2));
    EXPECT(oct_free(h, kept) == 0 && oct_free(h, big) == 0);
    EXPECT(oct_free(h, NULL) == 0);
    oct_heap_destroy(h);
    oct_frames_destroy(f);
    return NULL;
}

static const char *frame_refused(struct oct_frames *f, uint64_t at, size_t n)
{
    unsigned reports = lab_reports();
    EXPECT(oct_frames_free(f, at, n) == -EINVAL);
    EXPECT(lab_reports() > reports);
    EXPECT(!oct_frames_check(f));
    return NULL;
}

static const char *wrong_frames(void)
{
    struct oct_frames *f = oct_frames_create(32 * MIB, lab_manager);
    EXPECT(f);
    uint64_t run = oct_frames_alloc(f, 8, 8), freed = oct_frames_alloc(f, 4, 1);
    EXPECT(run && freed && run % (8 * OCT_FRAME) == 0);
    EXPECT(oct_frames_free(f, freed, 4) == 0);
    const struct {
        uint64_t at;
        size_t n;
    } wrong[] = {{freed, 4},         {run + 1, 8}, {run + OCT_FRAME, 7},
                 {run, 7},           {run, 9},     {0, 1},
                 {1ull << 60, 1},    {run, 0},     {40 * MIB, 1},
                 {run, SIZE_MAX / 2}};
    for (unsigned i = 0; i < COUNT(wrong); i++) {
        const char *why = frame_refused(f, wrong[i].at, wrong[i].n);
        if (why) {
            fprintf(stderr, "# wrong free of frames %u\n", i);
            return why;
        }
    }
    EXPECT(oct_frames_free(f, run, 8) == 0);
    uint64_t one = oct_frame_alloc(f);
    EXPECT(one && oct_frame_free(f, one) == 0);
    EXPECT(oct_frame_free(f, one) == -EINVAL);
    oct_frames_destroy(f);
    return NULL;
}

struct errand {
    struct oct_heap *heap;
    void *object;
    int result;
};

static void *free_it(void *argument)
{
    struct errand *e = argument;
    e->result = oct_free(e->heap, e->object);
    return NULL;
}

/* What another thread freed is free, though it is at hand there. */
static const char *freed_elsewhere(void)
{
    static struct pile p;
    const char *why = make_pile(&p, 5);
    if (why)
        return why;
    for (unsigned i = 0; i < 20; i++) {
        struct errand e = {p.heap, p.at[i], 1};
        pthread_t thread;
        EXPECT(pthread_create(&thread, NULL, free_it, &e) == 0);
        pthread_join(thread, NULL);
        EXPECT(e.result == 0);
        if ((why = refused(p.heap, p.at[i])))
            return why;
    }
    destroy_pile(&p);
    return NULL;
}

/* --- caches --- */

struct thing {
    unsigned long made; /* 1 + how often it was handed out */
    char rest[52];
};

static unsigned things_made;

static void make_thing(void *object)
{
    ((struct thing *)object)->made = 1;
    things_made++;
}

static const char *use_cache(struct oct_cache *c, struct oct_cache *other)
{
    struct thing *things[OBJECTS];
    unsigned reports = lab_reports();
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < OBJECTS; i++) {
            things[i] = oct_cache_alloc(c);
            EXPECT(things[i] && (uintptr_t)things[i] % 64 == 0);
            EXPECT(things[i]->made++ >= 1);
        }
        EXPECT(oct_cache_destroy(c) == -EBUSY);
        EXPECT(oct_cache_free(other, things[3]) == -EINVAL);
        EXPECT(oct_cache_free(c, things[3]->rest) == -EINVAL);
        for (unsigned i = 0; i < OBJECTS; i++)
            EXPECT(things[i]->made >= 2 && oct_cache_free(c, things[i]) == 0);
        EXPECT(oct_cache_free(c, things[3]) == -EINVAL);
        EXPECT(!oct_cache_check(c));
    }
    EXPECT(lab_reports() >= reports + 9);
    return NULL;
}

static const char *caches(void)
{
    struct oct_frames *f = oct_frames_create(16 * MIB, lab_manager);
    EXPECT(f);
    struct oct_cache *c =
        oct_cache_create(f, "things", sizeof(struct thing), 64, make_thing);
    struct oct_cache *other = oct_cache_create(f, "others", 60, 0, NULL);
    EXPECT(c && other);
    things_made = 0;
    const char *why = use_cache(c, other);
    if (why)
        return why;
    EXPECT(things_made >= OBJECTS && things_made < 2 * OBJECTS);
    EXPECT(oct_cache_destroy(c) == 0);
    EXPECT(oct_cache_destroy(other) == 0);
    EXPECT(!oct_frames_check(f));
    oct_frames_destroy(f);
    return NULL;
}

int main(void)
{
    static const struct lab_test tests[] = {
        {"two instances are independent", two_at_once},
        {"a heap gives its frames back", heap_gives_back},
        {"frames give their memory back", destroy_gives_back},
        {"wrong frees are refused", wrong_frees},
        {"wrong frees of frames are refused", wrong_frames},
        {"freed by another thread", freed_elsewhere},
        {"caches", caches},
    };
    return lab_run(tests, COUNT(tests));
}
