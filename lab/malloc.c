/* malloc on oct for any program: LD_PRELOAD=liboctmalloc.so. One heap over one
 * range of frames, made by the first call, which may come before any
 * constructor has run. Written on <lab/oct.h> alone.
 *
 *   OCT_HEAP=slab        the slab heap instead of the tagged one
 *   OCT_PMM=buddy        the buddy system instead of the bitmap
 *   OCT_STATS=1          a line of statistics on standard error at exit
 *   OCT_BAD_FREE=report  a wrong free is reported and ignored; else it aborts
 *   OCT_TRACE=FILE       records all calls: lab/trace/recorder.h
 */
#include "lab/oct.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "lab/trace/recorder.h"

#define EXPORT __attribute__((visibility("default")))
#define MiB (1024ull * 1024)

/* Not in the C library's headers for C11, or only there. */
EXPORT void *reallocarray(void *p, size_t n, size_t size);
EXPORT void *memalign(size_t align, size_t size);
EXPORT void *valloc(size_t size);
EXPORT void *pvalloc(size_t size);
EXPORT size_t malloc_usable_size(void *p);
EXPORT int malloc_trim(size_t keep);

#define COLD __attribute__((cold, noinline)) /* kept out of the usual path */
static struct oct_heap *the_heap;            /* NULL until it is made */
static struct oct_heap *quick_heap; /* the same, but NULL if calls are recorded:
                                     * all that the usual path looks at */
static __thread char complaint[128]
    __attribute__((tls_model("initial-exec"))); /* the last report */

static void say(int to, const char *text)
{
    if (write(to, text, strlen(text)) < 0)
        return; /* nobody is left to tell */
}

/* --- the heap --- */

static void note(const char *line)
{
    size_t n = strnlen(line, sizeof(complaint) - 1);
    memcpy(complaint, line, n);
    complaint[n] = '\0';
}

/* Of two words, which does the variable say? The first is what it is without
 * being set. A word that is misspelt must not pass for the first. */
static int choice(const char *variable, const char *first, const char *second)
{
    const char *value = getenv(variable);
    char text[128];
    if (!value || !*value || strcmp(value, first) == 0)
        return 0;
    if (strcmp(value, second) == 0)
        return 1;
    snprintf(text, sizeof(text), "oct: %s is %s or %s, not %.40s\n", variable,
             first, second, value);
    say(STDERR_FILENO, text);
    _exit(127);
}

static uint64_t limit_of(int resource)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return limit.rlim_cur;
}

/* How much address space to reserve. More than RAM and swap cannot be in use at
 * once, but holes must not stop what would fit: twice that. Of a limited
 * address space, half: the program maps files and stacks too. */
static uint64_t range_bytes(void)
{
    struct sysinfo info;
    uint64_t limit = limit_of(RLIMIT_AS);
    uint64_t data = limit_of(RLIMIT_DATA);
    uint64_t bytes = 64 * 1024 * MiB;
    if (sysinfo(&info) == 0)
        bytes = 2 * (uint64_t)info.mem_unit * (info.totalram + info.totalswap);
    limit = (data < limit ? data : limit) / 2;
    return (bytes < limit ? bytes : limit) / OCT_FRAME * OCT_FRAME;
}

/* The first to come publishes the heap; who was slower throws his away. Nobody
 * waits for anybody, so it does not matter where a fork or a signal comes. */
COLD static struct oct_heap *start(void)
{
    int manager = choice("OCT_PMM", "bitmap", "buddy");
    int kind = choice("OCT_HEAP", "tagged", "slab");
    struct oct_frames *frames = NULL;
    struct oct_heap *heap = NULL, *others = NULL;
    for (uint64_t n = range_bytes(); !frames && n >= 4 * MiB; n /= 2)
        frames = oct_frames_create(n, manager ? OCT_BUDDY : OCT_BITMAP);
    if (frames)
        heap = oct_heap_create(frames, kind ? OCT_SLAB : OCT_TAGGED);
    if (heap &&
        __atomic_compare_exchange_n(&the_heap, &others, heap, false,
                                    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        /* As early as this, so that those of others may allocate: before the
         * fork the last to be registered runs first, after it the first. */
        oct_on_report(note);
        pthread_atfork(oct_before_fork, oct_after_fork_in_parent,
                       oct_after_fork_in_child);
        recorder_start(NULL);
        if (!recorder_on())
            __atomic_store_n(&quick_heap, heap, __ATOMIC_RELEASE);
        return heap;
    }
    if (heap)
        oct_heap_destroy(heap);
    if (frames)
        oct_frames_destroy(frames);
    return others;
}

static inline struct oct_heap *heap(void)
{
    struct oct_heap *h = __atomic_load_n(&the_heap, __ATOMIC_ACQUIRE);
    return __builtin_expect(h != NULL, 1) ? h : start();
}

/* --- results --- */

COLD static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

static inline void *given(void *p, size_t size, size_t align)
{
    if (__builtin_expect(p == NULL, 0))
        return no_memory();
    if (recorder_on())
        recorder_alloc(p, size, align);
    return p;
}

/* The last report says whose call of the library was refused, and behind a
 * colon why. */
COLD static void bad_pointer(const char *call, const void *p)
{
    const char *then = getenv("OCT_BAD_FREE");
    const char *why = strstr(complaint, ": ");
    char text[256];
    snprintf(text, sizeof(text), "oct: %s(%p): %s\n", call, p,
             why ? why + 2 : "it was never allocated");
    say(STDERR_FILENO, text);
    if (!then || strcmp(then, "report") != 0)
        abort();
}

/* A good object is still there; a bad one was reported just now. */
static void *not_resized(struct oct_heap *h, void *p)
{
    if (h && oct_size(h, p) != 0)
        return no_memory();
    bad_pointer("realloc", p);
    errno = EINVAL;
    return NULL;
}

/* --- what programs call --- */

static inline struct oct_heap *quick(void)
{
    return __atomic_load_n(&quick_heap, __ATOMIC_ACQUIRE);
}

/* The first call, recorded ones, and those for which there is no memory. */
COLD static void *malloc_slowly(size_t size)
{
    struct oct_heap *h = heap();
    return given(h ? oct_alloc(h, size) : NULL, size, 0);
}

/* malloc(0) is an object like others: programs compare such pointers. */
EXPORT void *malloc(size_t size)
{
    struct oct_heap *h = quick();
    void *p = __builtin_expect(h != NULL, 1) ? oct_alloc(h, size) : NULL;
    return __builtin_expect(p != NULL, 1) ? p : malloc_slowly(size);
}

COLD static void free_slowly(void *p)
{
    struct oct_heap *h = heap();
    if (recorder_on())
        recorder_free(p);
    if (p && (!h || oct_free(h, p) != 0))
        bad_pointer("free", p);
}

EXPORT void free(void *p)
{
    struct oct_heap *h = quick();
    if (__builtin_expect(h == NULL, 0))
        free_slowly(p);
    else if (__builtin_expect(oct_free(h, p) != 0, 0))
        bad_pointer("free", p);
}

EXPORT void *calloc(size_t n, size_t size)
{
    struct oct_heap *h = heap();
    size_t bytes;
    if (!h || __builtin_mul_overflow(n, size, &bytes))
        return no_memory();
    return given(oct_zalloc(h, bytes), bytes, 0);
}

EXPORT void *realloc(void *p, size_t size)
{
    if (!p)
        return malloc(size);
    if (size == 0) {
        free(p);
        return NULL;
    }
    struct oct_heap *h = heap();
    void *q = h ? oct_realloc(h, p, size) : NULL;
    if (q && recorder_on())
        recorder_resize(p, q, size);
    return q ? q : not_resized(h, p);
}

EXPORT void *reallocarray(void *p, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        return no_memory();
    return realloc(p, bytes);
}

static bool is_power_of_two(size_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

static void *aligned(size_t size, size_t align)
{
    struct oct_heap *h = heap();
    return given(h ? oct_alloc_aligned(h, size, align) : NULL, size, align);
}

EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
    int before = errno;
    if (!is_power_of_two(align) || align % sizeof(void *) != 0)
        return EINVAL;
    void *p = aligned(size, align);
    errno = before; /* POSIX: the result alone tells */
    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

EXPORT void *memalign(size_t align, size_t size)
{
    if (!is_power_of_two(align)) {
        errno = EINVAL;
        return NULL;
    }
    return aligned(size, align);
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
    return memalign(align, size);
}

EXPORT void *valloc(size_t size)
{
    return memalign(OCT_FRAME, size);
}

EXPORT void *pvalloc(size_t size)
{
    if (size > SIZE_MAX - OCT_FRAME)
        return no_memory();
    return memalign(OCT_FRAME,
                    (size + !size + OCT_FRAME - 1) & ~(OCT_FRAME - 1));
}

EXPORT size_t malloc_usable_size(void *p)
{
    return p ? oct_size(heap(), p) : 0;
}

/* `keep` is for heaps that end somewhere. */
EXPORT int malloc_trim(size_t keep)
{
    (void)keep;
    return heap() && oct_heap_trim(heap()) != 0;
}

/* --- statistics --- */

static int stats_to = -1; /* file descriptor */

/* Many programs close standard error before they end. */
__attribute__((constructor)) static void prepare_stats(void)
{
    const char *wanted = getenv("OCT_STATS");
    if (wanted && strcmp(wanted, "1") == 0)
        stats_to = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
}

__attribute__((destructor)) static void print_stats(void)
{
    struct oct_heap_stats s;
    struct rusage usage;
    char text[256];
    if (stats_to < 0 || !heap())
        return;
    oct_heap_stats(heap(), &s);
    getrusage(RUSAGE_SELF, &usage);
    snprintf(text, sizeof(text),
             "oct: %.32s: live %zu bytes in %zu objects, at hand %zu, "
             "free %zu, frames %zu, peak resident %ld KiB\n",
             program_invocation_short_name, s.live, s.objects, s.cached, s.free,
             s.frames, usage.ru_maxrss);
    say(stats_to, text);
}
