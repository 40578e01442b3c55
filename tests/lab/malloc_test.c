/* What programs may expect of malloc and its kin. Knows nothing of oct: it runs
 * with liboctmalloc.so preloaded, of which only the first test makes sure. */
#include "tests/lab/malloc_test.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

void *(*volatile call_malloc)(size_t) = malloc;
static void *(*volatile call_calloc)(size_t, size_t) = calloc;
void *(*volatile call_realloc)(void *, size_t) = realloc;
static void *(*volatile call_reallocarray)(void *, size_t,
                                           size_t) = reallocarray;
static void *(*volatile call_memalign)(size_t, size_t) = memalign;
void (*volatile call_free)(void *) = free;

static const char *preloaded(void)
{
    static void *(*const names[])(size_t) = {malloc, valloc, pvalloc};
    Dl_info info;
    for (unsigned i = 0; i < COUNT(names); i++) {
        EXPECT(dladdr((void *)(uintptr_t)names[i], &info));
        EXPECT(strstr(info.dli_fname, "liboctmalloc"));
    }
    return NULL;
}

static const char *alignment(void)
{
    for (size_t size = 1; size < 20000; size += 1 + size / 20) {
        char *p = malloc(size);
        EXPECT(p && (uintptr_t)p % 16 == 0);
        EXPECT(malloc_usable_size(p) >= size);
        memset(p, 0x5a, malloc_usable_size(p));
        free(p);
    }
    for (size_t align = 1; align <= 2 * MIB; align *= 2) {
        for (size_t size = 0; size < 3 * align; size += 1 + align / 2) {
            char *p = call_memalign(align, size);
            EXPECT(p && (uintptr_t)p % align == 0);
            memset(p, 0xa5, size);
            p = call_realloc(p, size + 100);
            EXPECT(p && (size == 0 || p[size - 1] == (char)0xa5));
            free(p);
        }
    }
    return NULL;
}

static const char *nothing(void)
{
    char *p = call_malloc(0), *q = call_malloc(0), *r = call_calloc(0, 8);
    EXPECT(p && q && r && p != q && q != r && p != r);
    EXPECT(malloc_usable_size(NULL) == 0);
    free(p);
    free(q);
    free(r);
    free(NULL);
    p = call_realloc(NULL, 10);
    EXPECT(p);
    EXPECT(!call_realloc(p, 0)); /* frees, as glibc does */
    return NULL;
}

static const char *too_much(void)
{
    static const size_t much[] = {SIZE_MAX, SIZE_MAX - 4095, SIZE_MAX / 2 + 1,
                                  SIZE_MAX / 2};
    char *kept = malloc(100);
    EXPECT(kept);
    lab_stamp(kept, 100, 1);
    for (unsigned i = 0; i < COUNT(much); i++) {
        errno = 0;
        EXPECT(!call_malloc(much[i]) && errno == ENOMEM);
        errno = 0;
        EXPECT(!call_realloc(kept, much[i]) && errno == ENOMEM);
        errno = 0;
        EXPECT(!call_memalign(64, much[i]) && errno == ENOMEM);
        errno = 0;
        EXPECT(!call_calloc(much[i], 1) && errno == ENOMEM);
    }
    errno = 0;
    EXPECT(!call_calloc(SIZE_MAX / 4, 5) && errno == ENOMEM);
    errno = 0;
    EXPECT(!call_reallocarray(kept, SIZE_MAX / 4, 5) && errno == ENOMEM);
    errno = 0;
    EXPECT(!pvalloc(SIZE_MAX - 5) && errno == ENOMEM);
    EXPECT(lab_is_stamped(kept, 100, 1));
    free(kept);
    return NULL;
}

static const char *aligned_errors(void)
{
    char here;
    void *p = &here;
    errno = 0;
    EXPECT(posix_memalign(&p, 3, 10) == EINVAL);
    EXPECT(posix_memalign(&p, 0, 10) == EINVAL);
    EXPECT(posix_memalign(&p, sizeof(void *) / 2, 10) == EINVAL);
    EXPECT(posix_memalign(&p, 64, SIZE_MAX / 2 + 1) == ENOMEM);
    EXPECT(posix_memalign(&p, SIZE_MAX / 2 + 1, 10) == ENOMEM);
    EXPECT(p == &here && errno == 0);
    EXPECT(posix_memalign(&p, sizeof(void *), 10) == 0 && p != &here);
    free(p);
    EXPECT(!call_memalign(48, 10) && errno == EINVAL);
    errno = 0;
    EXPECT(!aligned_alloc(24, 48) && errno == EINVAL);
    p = aligned_alloc(256, 1024);
    EXPECT(p && (uintptr_t)p % 256 == 0);
    free(p);
    p = valloc(5);
    EXPECT(p && (uintptr_t)p % 4096 == 0);
    free(p);
    p = pvalloc(4097);
    EXPECT(p && (uintptr_t)p % 4096 == 0 && malloc_usable_size(p) >= 8192);
    free(p);
    return NULL;
}

static const char *zeroed(void)
{
    for (size_t size = 1; size < 300000; size = size * 2 + 1) {
        unsigned char *p = malloc(size);
        EXPECT(p);
        memset(p, 0xff, malloc_usable_size(p));
        call_free(p);
        p = call_calloc(size, 1);
        EXPECT(p && p[0] == 0 && memcmp(p, p + 1, size - 1) == 0);
        free(p);
    }
    return NULL;
}

static const char *resizes(void)
{
    enum { VECTORS = 40 };
    unsigned *vector[VECTORS] = {NULL};
    size_t length[VECTORS] = {0};
    uint64_t random = 3;
    for (unsigned i = 0; i < 20000; i++) {
        unsigned v = lab_random(&random) % VECTORS;
        size_t to = lab_random(&random) % (i % 99 ? 500 : 60000) + 1;
        vector[v] = reallocarray(vector[v], to, sizeof(unsigned));
        EXPECT(vector[v]);
        for (size_t j = length[v]; j < to; j++)
            vector[v][j] = (unsigned)(v * 100000 + j);
        for (size_t j = 0; j < to; j += 1 + to / 9)
            EXPECT(vector[v][j] == v * 100000 + j);
        length[v] = to;
    }
    for (unsigned v = 0; v < VECTORS; v++)
        free(vector[v]);
    return NULL;
}

static const char *keeps_errno(void)
{
    for (size_t size = 8; size < 64 * MIB; size *= 3) {
        void *p = malloc(size);
        EXPECT(p);
        errno = 77;
        free(p);
        EXPECT(errno == 77);
    }
    int trimmed = malloc_trim(0);
    EXPECT(trimmed == 0 || trimmed == 1);
    return NULL;
}

/* Nobody writes to them, so they cost nothing. */
static const char *none_left(void)
{
    enum { MOST = 100000 };
    static void *at[MOST];
    unsigned n = 0;
    size_t size = 64 * MIB;
    errno = 0;
    while (n < MOST && (at[n] = call_malloc(size)) != NULL)
        n++;
    EXPECT(n > 0 && n < MOST && errno == ENOMEM);
    char *small = call_malloc(100);
    EXPECT(small);
    free(small);
    for (unsigned i = 0; i < n; i++)
        free(at[i]);
    at[0] = call_malloc(size * (n / 2));
    EXPECT(at[0]);
    free(at[0]);
    malloc_trim(0); /* what it keeps of all that, forks would have to copy */
    return NULL;
}

/* --- threads --- */

enum { THREADS = 4, FORKS = 50, BATCH = 400 };

static bool stop;

static const char *use(uint64_t *random)
{
    void *at[BATCH];
    size_t size[BATCH];
    for (unsigned i = 0; i < BATCH; i++) {
        size[i] = 16 + lab_random(random) % (i % 50 ? 500 : 20000);
        at[i] = malloc(size[i]);
        EXPECT(at[i]);
        lab_stamp(at[i], size[i], 1);
    }
    for (unsigned i = 0; i < BATCH; i++) {
        EXPECT(lab_is_stamped(at[i], size[i], 1));
        free(at[i]);
    }
    return NULL;
}

static void *use_on(void *seed)
{
    uint64_t random = (uintptr_t)seed + 1;
    const char *why = NULL;
    while (!why && !__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
        why = use(&random);
    return (void *)(uintptr_t)why;
}

static const char *fork_once(unsigned number)
{
    int status;
    pid_t pid = fork();
    EXPECT(pid >= 0);
    if (pid == 0) {
        uint64_t random = number + 1;
        alarm(20);
        _exit(use(&random) ? 1 : 0);
    }
    EXPECT(waitpid(pid, &status, 0) == pid);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return NULL;
}

static const char *threads_and_forks(void)
{
    pthread_t threads[THREADS];
    const char *why = NULL;
    for (unsigned i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&threads[i], NULL, use_on,
                              (void *)(uintptr_t)i) == 0);
    for (unsigned i = 0; i < FORKS && !why; i++)
        why = fork_once(i);
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < THREADS; i++) {
        void *said;
        pthread_join(threads[i], &said);
        why = why ? why : said;
    }
    return why;
}

static pthread_key_t keys[2];
static unsigned destroyed;

/* Allocates anew until the system gives up calling it. */
static void destroy(void *p)
{
    free(p);
    pthread_setspecific(keys[0], malloc(300));
    free(malloc(1000));
    destroyed++;
}

static void *leave_things(void *unused)
{
    (void)unused;
    pthread_setspecific(keys[0], malloc(100));
    pthread_setspecific(keys[1], malloc(200));
    return NULL;
}

static const char *thread_destructors(void)
{
    EXPECT(pthread_key_create(&keys[0], destroy) == 0);
    EXPECT(pthread_key_create(&keys[1], free) == 0);
    for (unsigned i = 0; i < 300; i++) {
        pthread_t thread;
        EXPECT(pthread_create(&thread, NULL, leave_things, NULL) == 0);
        pthread_join(thread, NULL);
    }
    EXPECT(destroyed >= 300);
    return NULL;
}

static void *kept_to_the_end;

static void at_exit(void)
{
    free(kept_to_the_end);
    free(malloc(100));
}

int main(void)
{
    static const struct lab_test tests[] = {
        {"it is oct that is tested", preloaded},
        {"alignment and usable size", alignment},
        {"size 0 and NULL", nothing},
        {"sizes that cannot be", too_much},
        {"errors of aligned allocation", aligned_errors},
        {"calloc zeroes", zeroed},
        {"realloc keeps contents", resizes},
        {"free keeps errno", keeps_errno},
        {"no memory left", none_left},
        {"threads and forks", threads_and_forks},
        {"destructors of threads", thread_destructors},
        {"wrong calls", wrong_calls},
    };
    unsigned good = 0, n = COUNT(tests);
    kept_to_the_end = malloc(5000);
    atexit(at_exit);
    for (unsigned i = 0; i < n; i++)
        good += lab_try(&tests[i], "", i + 1);
    printf("1..%u\n", n);
    return good == n ? 0 : 1;
}
