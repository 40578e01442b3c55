/* fork() while other threads allocate: the child goes on with the heap. */
#include "tests/lab/lab.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 3, FORKS = 50, BATCH = 300 };

static struct oct_frames *frames;
static struct oct_heap *heap;
static struct oct_cache *cache;
static bool stop;

/* Makes and ends some of everything. */
static const char *make_all(void)
{
    struct oct_heap *h = oct_heap_create(frames, lab_kind);
    struct oct_cache *c = oct_cache_create(frames, "short", 72, 0, NULL);
    EXPECT(h && c);
    EXPECT(oct_alloc(h, 100));
    EXPECT(oct_cache_destroy(c) == 0);
    oct_heap_destroy(h);
    return NULL;
}

/* Takes and gives back some of everything. */
static const char *use_all(uint64_t *random)
{
    void *at[BATCH], *cached[BATCH];
    size_t size[BATCH];
    for (unsigned i = 0; i < BATCH; i++) {
        size[i] = 16 + lab_random(random) % (i % 50 ? 500 : 20000);
        at[i] = oct_alloc(heap, size[i]);
        cached[i] = oct_cache_alloc(cache);
        EXPECT(at[i] && cached[i]);
        lab_stamp(at[i], size[i], 1);
        lab_stamp(cached[i], 40, 2);
    }
    for (unsigned i = 0; i < BATCH; i++) {
        EXPECT(lab_is_stamped(at[i], size[i], 1));
        EXPECT(lab_is_stamped(cached[i], 40, 2));
        EXPECT(oct_free(heap, at[i]) == 0);
        EXPECT(oct_cache_free(cache, cached[i]) == 0);
    }
    return make_all();
}

static void *go_on(void *seed)
{
    uint64_t random = (uintptr_t)seed + 1;
    const char *why = NULL;
    while (!why && !__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
        why = use_all(&random);
    return (void *)(uintptr_t)why;
}

static void *child_thread(void *unused)
{
    uint64_t random = 77;
    (void)unused;
    return (void *)(uintptr_t)use_all(&random);
}

/* In the child, by this thread and by a new one, which gets what one of the
 * threads had at hand that are no more. (Checks would notice the object that
 * such a thread was about to take: it is lost to the child.) */
static const char *child(unsigned number)
{
    uint64_t random = number + 100;
    pthread_t thread;
    void *said;
    const char *why = use_all(&random);
    if (why)
        return why;
    EXPECT(pthread_create(&thread, NULL, child_thread, NULL) == 0);
    pthread_join(thread, &said);
    return said;
}

static const char *fork_once(unsigned number)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    EXPECT(pid >= 0);
    if (pid == 0) {
        alarm(20); /* rather than to wait for ever */
        const char *why = child(number);
        if (why)
            fprintf(stderr, "# child: %s\n", why);
        _exit(why ? 1 : 0);
    }
    EXPECT(waitpid(pid, &status, 0) == pid);
    EXPECT(!WIFSIGNALED(status) || WTERMSIG(status) != SIGALRM);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return NULL;
}

static const char *fork_many(void)
{
    const char *why = NULL;
    for (unsigned i = 0; i < FORKS && !why; i++)
        why = fork_once(i);
    return why;
}

static const char *forks(void)
{
    pthread_t threads[THREADS];
    frames = oct_frames_create(64 * MIB, lab_manager);
    EXPECT(frames);
    heap = oct_heap_create(frames, lab_kind);
    cache = oct_cache_create(frames, "forked", 40, 0, NULL);
    EXPECT(heap && cache);
    stop = false;
    for (unsigned i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&threads[i], NULL, go_on, (void *)(uintptr_t)i) ==
               0);
    const char *why = fork_many();
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < THREADS; i++) {
        void *said;
        pthread_join(threads[i], &said);
        why = why ? why : said;
    }
    if (why)
        return why;
    EXPECT(!oct_heap_check(heap));
    oct_heap_destroy(heap);
    EXPECT(oct_cache_destroy(cache) == 0);
    EXPECT(!oct_frames_check(frames));
    oct_frames_destroy(frames);
    return NULL;
}

int main(void)
{
    static const struct lab_test tests[] = {
        {"forks while threads allocate", forks},
    };
    pthread_atfork(oct_before_fork, oct_after_fork_in_parent,
                   oct_after_fork_in_child);
    return lab_run(tests, COUNT(tests));
}
