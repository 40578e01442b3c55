/* The recorder: a lock, a buffer before the file, and memory from mmap for the
 * tracer (<oct/tracer.h>), doubled when it is half full. */
#define _GNU_SOURCE
#include "lab/trace/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <oct/tracer.h>

#define FIRST_ENTRIES 4096

static struct recorder_switch off;
struct recorder_switch *recorder_switch = &off;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for all below */
static struct tracer tracer;
static uint64_t limit = UINT64_MAX; /* events */
static int file = -1;
static uint8_t buffer[1 << 16];
static size_t buffered;
static uint32_t threads;

/* Numbers are kept + 1. No thread-local memory that would have to be
 * allocated. */
static __thread uint32_t thread __attribute__((tls_model("initial-exec")));

static void complain(const char *why)
{
    char line[160];
    int n = snprintf(line, sizeof(line), "oct: OCT_TRACE: %s\n", why);
    if (write(STDERR_FILENO, line, (size_t)n) < 0)
        errno = 0; /* nobody is left to tell */
}

static void give_up(const char *why)
{
    recorder_switch->on = false;
    complain(why);
}

static void flush(void)
{
    for (size_t at = 0; at < buffered;) {
        ssize_t n = write(file, buffer + at, buffered - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            give_up(strerror(errno));
            break;
        }
        at += (size_t)n;
    }
    buffered = 0;
}

static void put(void *context, const void *bytes, size_t n)
{
    (void)context;
    if (sizeof(buffer) - buffered < n)
        flush();
    memcpy(buffer + buffered, bytes, n);
    buffered += n;
}

static void *map(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static bool grow(size_t entries)
{
    void *old = tracer.table, *memory = map(tracer_bytes(entries));
    size_t old_bytes = tracer_bytes(tracer.entries);
    if (!memory)
        return false;
    tracer_move(&tracer, memory, entries);
    if (old)
        munmap(old, old_bytes);
    return true;
}

static void end(void)
{
    if (!recorder_on())
        return;
    trace_write_end(&tracer.writer);
    flush();
    recorder_switch->on = false;
    close(file);
}

static void event(const void *old, const void *p, size_t size, size_t align)
{
    int saved = errno;
    pthread_mutex_lock(&lock);
    if (thread == 0)
        thread = ++threads;
    if (recorder_on() && tracer_is_full(&tracer) && !grow(2 * tracer.entries))
        end();
    if (recorder_on())
        tracer_event(&tracer, thread - 1, old, p, size, align);
    if (tracer.writer.events >= limit)
        end();
    pthread_mutex_unlock(&lock);
    errno = saved;
}

void recorder_alloc(const void *p, size_t size, size_t align)
{
    if (p)
        event(NULL, p, size, align);
}

void recorder_free(const void *p)
{
    if (p)
        event(p, NULL, 0, 0);
}

void recorder_resize(const void *old, const void *p, size_t size)
{
    if (p)
        event(old, p, size, 0);
}

/* The switch lies in a page that a forked child finds zeroed. */
static struct recorder_switch *make_switch(void)
{
    struct recorder_switch *s = map(sizeof(*s));
    if (s && madvise(s, sizeof(*s), MADV_WIPEONFORK) == 0)
        return s;
    return NULL;
}

static void set_limit(const char *events)
{
    char *rest;
    if (!events)
        return;
    limit = strtoull(events, &rest, 10);
    if (limit == 0 || *rest) {
        complain("OCT_TRACE_EVENTS is no number; recording all");
        limit = UINT64_MAX;
    }
}

void recorder_start(const char *path)
{
    path = path ? path : getenv("OCT_TRACE");
    if (!path || !*path)
        return;
    struct recorder_switch *s = make_switch();
    file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (!s || file < 0 || !grow(FIRST_ENTRIES)) {
        complain(strerror(errno));
        return;
    }
    set_limit(getenv("OCT_TRACE_EVENTS"));
    unsetenv("OCT_TRACE");
    tracer.writer.put = put;
    trace_write_header(&tracer.writer, program_invocation_short_name,
                       sizeof(void *));
    s->on = true;
    recorder_switch = s;
}

/* In a forked child another thread may hold the lock for ever. */
__attribute__((destructor)) static void end_at_exit(void)
{
    if (!recorder_on())
        return;
    pthread_mutex_lock(&lock);
    end();
    pthread_mutex_unlock(&lock);
}
