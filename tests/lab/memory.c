/* What memory an instance gives: how much, where, and what when there is none
 * left. */
#include "tests/lab/lab.h"

enum { MOST = 4000 };

static struct oct_frames *frames;
static struct oct_heap *heap;

static const char *begin(size_t bytes)
{
    frames = oct_frames_create(bytes, lab_manager);
    EXPECT(frames);
    heap = oct_heap_create(frames, lab_kind);
    EXPECT(heap);
    return NULL;
}

static const char *end(void)
{
    EXPECT(!oct_heap_check(heap));
    oct_heap_destroy(heap);
    EXPECT(!oct_frames_check(frames));
    oct_frames_destroy(frames);
    return NULL;
}

/* All of an object may be used, and up to a page powers of two are aligned to
 * their size. */
static const char *sizes(void)
{
    static void *at[MOST];
    unsigned n = 0;
    const char *why = begin(128 * MIB);
    if (why)
        return why;
    for (size_t size = 0; size < 200000; size += 1 + size / 16, n++) {
        at[n] = oct_alloc(heap, size);
        EXPECT(at[n]);
        size_t room = oct_size(heap, at[n]);
        EXPECT(size == 0 || (uintptr_t)at[n] % 32 == 0);
        EXPECT(room >= size);
        memset(at[n], 0xa5, room);
    }
    EXPECT(n > 100 && !oct_heap_check(heap));
    for (size_t size = 32; size <= OCT_FRAME; size *= 2) {
        at[n] = oct_alloc(heap, size);
        EXPECT(at[n] && (uintptr_t)at[n] % size == 0);
        n++;
    }
    for (size_t align = 1; align <= 2 * MIB; align *= 2, n++) {
        at[n] = oct_alloc_aligned(heap, 3 * align / 2, align);
        EXPECT(at[n] && (uintptr_t)at[n] % align == 0);
        memset(at[n], 0x5a, 3 * align / 2);
    }
    while (n > 0)
        EXPECT(oct_free(heap, at[--n]) == 0);
    return end();
}

static const char *zeroed(void)
{
    const char *why = begin(16 * MIB);
    if (why)
        return why;
    for (size_t size = 1; size < 100000; size = size * 2 + 1) {
        unsigned char *p = oct_alloc(heap, size);
        EXPECT(p);
        memset(p, 0xff, size);
        EXPECT(oct_free(heap, p) == 0);
        p = oct_zalloc(heap, size);
        EXPECT(p && p[0] == 0 && memcmp(p, p + 1, size - 1) == 0);
        EXPECT(oct_free(heap, p) == 0);
    }
    return end();
}

static const char *resizes(void)
{
    enum { LONGEST = 300000 };
    static unsigned char pattern[LONGEST];
    uint64_t random = 9;
    const char *why = begin(64 * MIB);
    unsigned char *p = NULL;
    size_t size = 0;
    if (why)
        return why;
    for (unsigned i = 0; i < LONGEST; i++)
        pattern[i] = (unsigned char)lab_random(&random);
    for (unsigned i = 0; i < 3000; i++) {
        size_t next = 1 + lab_random(&random) % (i % 9 ? 3000 : LONGEST);
        p = oct_realloc(heap, p, next);
        EXPECT(p && oct_size(heap, p) >= next);
        EXPECT(memcmp(p, pattern, size < next ? size : next) == 0);
        memcpy(p, pattern, next);
        size = next;
    }
    EXPECT(!oct_realloc(heap, p, SIZE_MAX / 2));
    EXPECT(memcmp(p, pattern, size) == 0);
    EXPECT(!oct_realloc(heap, p, 0));
    EXPECT(oct_size(heap, p) == 0);
    return end();
}

static const char *too_much(void)
{
    static const size_t much[] = {
        SIZE_MAX,        SIZE_MAX - 31,   SIZE_MAX - 4095, SIZE_MAX / 2 + 1,
        (size_t)1 << 62, (size_t)1 << 44, (size_t)17 << 20};
    const char *why = begin(16 * MIB);
    if (why)
        return why;
    for (unsigned i = 0; i < COUNT(much); i++) {
        EXPECT(!oct_alloc(heap, much[i]));
        EXPECT(!oct_zalloc(heap, much[i]));
        EXPECT(!oct_alloc_aligned(heap, much[i], 4096));
        EXPECT(!oct_alloc_aligned(heap, 8, SIZE_MAX / 2 + 1));
        EXPECT(!oct_frames_alloc(frames, much[i], 1));
        EXPECT(!oct_frames_alloc(frames, 1, SIZE_MAX / 2 + 1));
    }
    EXPECT(!oct_frames_alloc(frames, 0, 1));
    EXPECT(!oct_frames_create(1ull << 62, lab_manager));
    EXPECT(!oct_frames_create(0, lab_manager));
    return end();
}

/* Objects of many sizes until there is no memory; returns how many. */
static unsigned take_all(void *at[], size_t size[])
{
    uint64_t random = 4;
    unsigned n = 0;
    for (; n < MOST; n++) {
        size[n] = 16 + lab_random(&random) % (n % 7 ? 500 : 9000);
        at[n] = oct_alloc(heap, size[n]);
        if (!at[n])
            break;
        lab_stamp(at[n], size[n], n);
    }
    return n;
}

static const char *none_left(void)
{
    static void *at[MOST];
    static size_t size[MOST];
    unsigned first = 0;
    const char *why = begin(2 * MIB);
    if (why)
        return why;
    for (unsigned round = 0; round < 5; round++) {
        unsigned n = take_all(at, size);
        first = round ? first : n;
        EXPECT(n > 500 && n < MOST && n >= first - first / 20);
        EXPECT(!oct_heap_check(heap));
        for (unsigned i = 0; i < n; i++)
            EXPECT(lab_is_stamped(at[i], size[i], i));
        for (unsigned odd = 0; odd < 2; odd++)
            for (unsigned i = odd; i < n; i += 2)
                EXPECT(oct_free(heap, at[i]) == 0);
        oct_heap_trim(heap);
        EXPECT(!oct_heap_check(heap));
    }
    return end();
}

/* Every frame once, and each its own. */
static const char *all_frames(void)
{
    enum { FRAMES = 16 * 256 };
    static uint64_t taken[FRAMES + 1];
    struct oct_frames_stats before, after;
    const char *why = begin(16 * MIB);
    unsigned n = 0;
    if (why)
        return why;
    oct_frames_stats(frames, &before);
    while (n < FRAMES && (taken[n] = oct_frame_alloc(frames)) != 0) {
        EXPECT(taken[n] % OCT_FRAME == 0);
        lab_stamp(oct_frame_at(frames, taken[n]), OCT_FRAME, n);
        n++;
    }
    EXPECT(n == before.free && !oct_frame_alloc(frames));
    EXPECT(!oct_alloc(heap, 100));
    for (unsigned i = 0; i < n; i++) {
        void *p = oct_frame_at(frames, taken[i]);
        EXPECT(lab_is_stamped(p, OCT_FRAME, i));
        EXPECT(oct_frame_free(frames, taken[i]) == 0);
    }
    oct_frames_trim(frames);
    oct_frames_stats(frames, &after);
    EXPECT(after.free == before.free && after.longest == before.longest);
    EXPECT(oct_alloc(heap, 100));
    return end();
}

/* Nothing outside of it is handed out, or written to. */
static const char *over(size_t bytes)
{
    char *memory = aligned_alloc(OCT_FRAME, bytes + OCT_FRAME);
    EXPECT(memory);
    memset(memory + bytes, 0x77, OCT_FRAME);
    frames = oct_frames_over(memory, bytes, lab_manager);
    EXPECT(frames);
    heap = oct_heap_create(frames, lab_kind);
    EXPECT(heap);
    for (size_t size = 50;; size += 13) {
        char *p = oct_alloc(heap, size);
        if (!p)
            break;
        EXPECT(p >= memory && p + size <= memory + bytes);
        memset(p, 0x33, size);
    }
    for (size_t i = 0; i < OCT_FRAME; i++)
        EXPECT(memory[bytes + i] == 0x77);
    const char *why = end();
    free(memory);
    return why;
}

/* Memory of the caller's, also such as ends in the middle of a buddy's block.
 */
static const char *over_memory(void)
{
    const char *why = over(3 * MIB);
    return why ? why : over(2 * MIB);
}

/* What is aligned is where the program sees it, wherever the range begins. */
static const char *odd_memory(void)
{
    enum { TIMES = 3 };
    size_t bytes = 24 * MIB;
    char *memory = aligned_alloc(2 * MIB, bytes + 2 * MIB);
    EXPECT(memory);
    frames = oct_frames_over(memory + 3 * OCT_FRAME, bytes, lab_manager);
    EXPECT(frames);
    heap = oct_heap_create(frames, lab_kind);
    EXPECT(heap);
    for (size_t align = 64; align <= MIB; align *= 2) {
        void *at[TIMES];
        for (unsigned i = 0; i < TIMES; i++) {
            at[i] = oct_alloc_aligned(heap, align + 100, align);
            EXPECT(at[i] && (uintptr_t)at[i] % align == 0);
            lab_stamp(at[i], align + 100, i);
        }
        EXPECT(!oct_heap_check(heap));
        for (unsigned i = 0; i < TIMES; i++) {
            EXPECT(lab_is_stamped(at[i], align + 100, i));
            EXPECT(oct_free(heap, at[i]) == 0);
        }
    }
    const char *why = end();
    free(memory);
    return why;
}

/* Bytes of memory that the process has. */
static size_t resident(void)
{
    unsigned long all = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%lu %lu", &all, &pages) != 2)
        pages = 0;
    if (file)
        fclose(file);
    return pages * OCT_FRAME;
}

/* What was freed in large pieces is the operating system's again after a trim,
 * and what was not is untouched. */
static const char *trimmed(void)
{
    enum { LARGE = 30, SMALL = 50 };
    static void *large[LARGE], *small[SMALL];
    const char *why = begin(128 * MIB);
    if (why)
        return why;
    for (unsigned i = 0; i < SMALL; i++) {
        small[i] = oct_alloc(heap, 10000);
        EXPECT(small[i]);
        lab_stamp(small[i], 10000, i);
    }
    size_t before = resident();
    EXPECT(before > 0);
    for (unsigned i = 0; i < LARGE; i++) {
        large[i] = oct_alloc(heap, MIB);
        EXPECT(large[i]);
        memset(large[i], 0x11, MIB);
    }
    EXPECT(resident() >= before + LARGE * MIB * 9 / 10);
    for (unsigned i = 0; i < LARGE; i++)
        EXPECT(oct_free(heap, large[i]) == 0);
    oct_heap_trim(heap);
    EXPECT(resident() <= before + 2 * MIB);
    for (unsigned i = 0; i < SMALL; i++) {
        EXPECT(lab_is_stamped(small[i], 10000, i));
        EXPECT(oct_free(heap, small[i]) == 0);
    }
    return end();
}

static const char *simulated(void)
{
    struct oct_frames_stats before, after;
    struct oct_frames *f = oct_frames_simulate(64ull << 30);
    EXPECT(f);
    oct_frames_stats(f, &before);
    EXPECT(before.free > (60ull << 30) / OCT_FRAME);
    uint64_t one = oct_frame_alloc(f), run = oct_frames_alloc(f, 512, 512);
    EXPECT(one && run && run % (512 * OCT_FRAME) == 0);
    EXPECT(!oct_frame_at(f, one));
    EXPECT(!oct_heap_create(f, lab_kind));
    oct_frames_stats(f, &after);
    EXPECT(after.free == before.free - 513 && after.total == before.total);
    EXPECT(oct_frame_free(f, one) == 0 && oct_frames_free(f, run, 512) == 0);
    EXPECT(!oct_frames_check(f));
    oct_frames_destroy(f);
    return NULL;
}

int main(void)
{
    static const struct lab_test tests[] = {
        {"sizes and alignment", sizes},
        {"zeroed memory", zeroed},
        {"contents stay when sizes change", resizes},
        {"too much is refused", too_much},
        {"no memory left, and again", none_left},
        {"every frame once", all_frames},
        {"memory of the caller's", over_memory},
        {"alignment in memory that is not", odd_memory},
        {"a trim gives memory back", trimmed},
        {"simulated frames", simulated},
    };
    return lab_run(tests, COUNT(tests));
}
