/* Several threads at one heap, frames or cache. Each takes objects, puts them
 * where the others find them, and frees what it finds there: most are freed by
 * another thread than allocated them. Whose each is, is written in it. */
#include "tests/lab/lab.h"

#include <pthread.h>

enum { THREADS = 4, SLOTS = 256, OWNER = 7 };

struct object { /* how each begins; its stamp follows */
    size_t size;
};

/* What is hammered: an object has `size` bytes. */
struct target {
    void *(*alloc)(size_t size);
    int (*free)(void *p);
};

static struct oct_frames *frames;
static struct oct_heap *heap;
static struct oct_cache *cache;

static unsigned steps = 20000; /* of each thread */
static void *slots[SLOTS];
static const struct target *target;

static void *heap_alloc(size_t size)
{
    return oct_alloc(heap, size);
}

static int heap_free(void *p)
{
    return oct_free(heap, p);
}

static void *cache_alloc(size_t size)
{
    (void)size;
    return oct_cache_alloc(cache);
}

static int cache_free(void *p)
{
    return oct_cache_free(cache, p);
}

/* Objects here are pages of 1 to 8 frames. */
static void *frames_alloc(size_t size)
{
    size_t n = size / OCT_FRAME;
    uint64_t at =
        n == 1 ? oct_frame_alloc(frames) : oct_frames_alloc(frames, n, 1);
    return at ? oct_frame_at(frames, at) : NULL;
}

static int frames_free(void *p)
{
    size_t n = ((struct object *)p)->size / OCT_FRAME;
    uint64_t first = OCT_FRAME;
    uint64_t at =
        first + (uint64_t)((char *)p - (char *)oct_frame_at(frames, first));
    return n == 1 ? oct_frame_free(frames, at) : oct_frames_free(frames, at, n);
}

static const char *retire(struct object *o)
{
    if (!o)
        return NULL;
    EXPECT(lab_is_stamped(o + 1, o->size - sizeof(*o), OWNER));
    EXPECT(target->free(o) == 0);
    return NULL;
}

static size_t some_size(uint64_t *random)
{
    uint64_t x = lab_random(random);
    if (target->alloc == frames_alloc)
        return OCT_FRAME * (x % 8 ? 1 : 1 + x / 8 % 8);
    if (target->alloc == cache_alloc)
        return 72;
    return 24 + x / 64 % (x % 64 ? 400 : 10000);
}

static const char *hammer(uint64_t *random, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        size_t size = some_size(random);
        struct object *o = target->alloc(size);
        EXPECT(o);
        o->size = size;
        lab_stamp(o + 1, size - sizeof(*o), OWNER);
        void **slot = &slots[lab_random(random) % SLOTS];
        const char *why =
            retire(__atomic_exchange_n(slot, o, __ATOMIC_ACQ_REL));
        if (why)
            return why;
    }
    return NULL;
}

static void *hammer_thread(void *seed)
{
    uint64_t random = (uintptr_t)seed + 1;
    return (void *)(uintptr_t)hammer(&random, steps);
}

static const char *begin(void)
{
    memset(slots, 0, sizeof(slots)); /* a test that failed leaves some */
    frames = oct_frames_create(64 * MIB, lab_manager);
    EXPECT(frames);
    heap = oct_heap_create(frames, lab_kind);
    cache = oct_cache_create(frames, "hammered", 72, 0, NULL);
    EXPECT(heap && cache);
    return NULL;
}

static const char *end(void)
{
    EXPECT(!oct_heap_check(heap));
    oct_heap_destroy(heap);
    EXPECT(!oct_cache_check(cache));
    EXPECT(oct_cache_destroy(cache) == 0);
    EXPECT(!oct_frames_check(frames));
    oct_frames_destroy(frames);
    return NULL;
}

static const char *run_threads(void *(*body)(void *), unsigned n)
{
    pthread_t threads[THREADS];
    const char *why = NULL;
    for (unsigned i = 0; i < n; i++)
        EXPECT(pthread_create(&threads[i], NULL, body, (void *)(uintptr_t)i) ==
               0);
    for (unsigned i = 0; i < n; i++) {
        void *said;
        pthread_join(threads[i], &said);
        why = why ? why : said;
    }
    return why;
}

static const char *hammered(const struct target *t)
{
    struct oct_heap_stats s;
    const char *why = begin();
    target = t;
    if (!why)
        why = run_threads(hammer_thread, THREADS);
    for (unsigned i = 0; i < SLOTS && !why; i++) {
        why = retire(slots[i]);
        slots[i] = NULL;
    }
    if (why)
        return why;
    oct_heap_stats(heap, &s);
    EXPECT(s.live == 0 && s.objects == 0);
    return end();
}

static const char *one_heap(void)
{
    static const struct target t = {heap_alloc, heap_free};
    return hammered(&t);
}

static const char *one_cache(void)
{
    static const struct target t = {cache_alloc, cache_free};
    return hammered(&t);
}

static const char *the_frames(void)
{
    static const struct target t = {frames_alloc, frames_free};
    return hammered(&t);
}

/* --- threads that come and go --- */

static void *visit(void *seed)
{
    uint64_t random = (uintptr_t)seed + 1;
    return (void *)(uintptr_t)hammer(&random, 50);
}

/* What is at hand is at hand for the threads that there are at a time: 1,250 in
 * all do not keep a frame each. */
static const char *come_and_go(void)
{
    static const struct target t = {heap_alloc, heap_free};
    struct oct_heap_stats late;
    const char *why = begin();
    target = &t;
    for (unsigned i = 0; i < steps / 40 && !why; i++)
        why = run_threads(visit, 1 + i % THREADS);
    if (why)
        return why;
    oct_heap_stats(heap, &late);
    EXPECT(late.objects <= SLOTS);
    EXPECT(late.frames <= 1024);
    for (unsigned i = 0; i < SLOTS && !why; i++) {
        why = retire(slots[i]);
        slots[i] = NULL;
    }
    if (why)
        return why;
    oct_heap_trim(heap); /* what ended threads had at hand too */
    oct_heap_stats(heap, &late);
    EXPECT(late.live == 0 && late.frames <= 16);
    return end();
}

/* threads [STEPS]: sanitizers are slow */
int main(int argc, char *argv[])
{
    static const struct lab_test tests[] = {
        {"threads at one heap", one_heap},
        {"threads at one cache", one_cache},
        {"threads at the frames", the_frames},
        {"threads that come and go", come_and_go},
    };
    if (argc > 1)
        steps = (unsigned)strtoul(argv[1], NULL, 0);
    return lab_run(tests, COUNT(tests));
}
