#include "race.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

void *own_memory(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (p == MAP_FAILED)
        die("no memory for the race itself: %zu bytes", bytes);
    return p;
}

void report(const char *metric, double value)
{
    printf("%s %.4f\n", metric, value);
}

void report_time(uint64_t ns, size_t operations)
{
    report("ns", (double)ns / (double)operations);
    report("operations", (double)operations);
}

uint32_t clock_cost(void)
{
    uint64_t least = UINT32_MAX;
    for (int i = 0; i < 1000; i++) {
        uint64_t start = now_ns();
        uint64_t took = now_ns() - start;
        least = took < least ? took : least;
    }
    return (uint32_t)least;
}

static int compare_samples(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

void sort_samples(uint32_t *samples, size_t n)
{
    qsort(samples, n, sizeof(*samples), compare_samples);
}

uint32_t percentile(const uint32_t *sorted, size_t n, double part)
{
    return sorted[(size_t)((double)(n - 1) * part)];
}

size_t parse_count(const char *text)
{
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    if (*end || n == 0)
        die("not a count: %s", text);
    return (size_t)n;
}
