#define _GNU_SOURCE
#include "lab/trace/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("octtrace: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(2);
}

void *host_map(size_t bytes)
{
    void *p = mmap(NULL, bytes + 1, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (p == MAP_FAILED)
        die("no memory: %s", strerror(errno));
    return p;
}

/* --- reading --- */

/* A larger copy of what was read so far. */
static uint8_t *enlarge(uint8_t *old, size_t n, size_t room)
{
    uint8_t *p = host_map(room);
    if (n) {
        memcpy(p, old, n);
        munmap(old, n);
    }
    return p;
}

struct text host_read(const char *path)
{
    int file = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY);
    size_t n = 0, room = 0;
    uint8_t *bytes = NULL;
    ssize_t got = 0;
    do {
        n += (size_t)got;
        if (n == room) {
            room = room ? 2 * room : 1 << 20;
            bytes = enlarge(bytes, n, room);
        }
        got = file < 0 ? -1 : read(file, bytes + n, room - n);
    } while (got > 0);
    if (got < 0)
        die("%s: %s", path, strerror(errno));
    if (file != STDIN_FILENO)
        close(file);
    return (struct text){path, bytes, n};
}

/* --- the allocator --- */

static void *allocate(uint64_t size, uint64_t align)
{
    void *p = NULL;
    if (align <= _Alignof(max_align_t))
        return malloc(size);
    return posix_memalign(&p, align, size) == 0 ? p : NULL;
}

static void *resize(void *p, uint64_t size)
{
    return realloc(p, size);
}

static void release(void *p)
{
    free(p);
}

/* Exact, other than what the kernel counts as it goes (statm). */
static uint64_t resident(void)
{
    static const char path[] = "/proc/self/smaps_rollup";
    char lines[512];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = file < 0 ? -1 : read(file, lines, sizeof(lines) - 1);
    if (n < 0)
        die("%s: %s", path, strerror(errno));
    close(file);
    lines[n] = '\0';
    const char *rss = strstr(lines, "\nRss:");
    if (!rss)
        die("%s: has no Rss", path);
    return strtoull(rss + 5, NULL, 10) * 1024;
}

static uint64_t nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

const struct replay_ops host_malloc = {.alloc = allocate,
                                       .resize = resize,
                                       .free = release,
                                       .taken = resident,
                                       .clock = nanoseconds};

/* --- what a kernel printed --- */

static const uint8_t *find(const uint8_t *at, const uint8_t *end,
                           const char *what)
{
    const uint8_t *found = memmem(at, (size_t)(end - at), what, strlen(what));
    return found ? found + strlen(what) : NULL;
}

static int digit(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

static size_t hexadecimal(const uint8_t *at, const uint8_t *end, uint8_t *to)
{
    size_t n = 0;
    for (; end - at >= 2 && digit(at[0]) >= 0 && digit(at[1]) >= 0; at += 2)
        to[n++] = (uint8_t)(digit(at[0]) << 4 | digit(at[1]));
    return n;
}

bool console_trace(const struct text *console, struct text *trace)
{
    const uint8_t *end = console->bytes + console->n, *at = console->bytes;
    uint8_t *bytes = host_map(console->n / 2);
    const uint8_t *next, *stop = NULL;
    while ((next = find(at, end, "trace begins: "))) {
        at = next;
        stop = find(at, end, "trace ends");
    }
    size_t n = 0, wanted = (size_t)strtoull((const char *)at, NULL, 10);
    while (stop && (at = find(at, stop, "trace: ")))
        n += hexadecimal(at, stop, bytes + n);
    trace->bytes = bytes;
    trace->n = n;
    return stop && n == wanted;
}
