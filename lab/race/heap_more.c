/* How late a single call may come back, and how much memory is held for what is
 * live. */
#include "lab/race/heap.h"

#include <stdio.h>
#include <string.h>

static uint32_t lasted(uint64_t start, uint32_t cost)
{
    uint64_t ns = now_ns() - start;
    ns = ns > cost ? ns - cost : 0;
    return ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

/* A sample is one free or one malloc of the churn, without the clock's own
 * cost. 0 is more exact than the clock, so half a nanosecond is said then. */
static void report_percentile(const char *metric, const uint32_t *samples,
                              size_t n, double part)
{
    uint32_t ns = percentile(samples, n, part);
    report(metric, ns ? ns : 0.5);
}

void race_latency(size_t live, size_t operations)
{
    struct population p;
    uint32_t *samples = own_memory(2 * operations * sizeof(*samples));
    uint32_t cost = clock_cost();
    population_make(&p, live, 362436069);
    population_replace(&p, live);
    for (size_t i = 0; i < operations; i++) {
        void **object = &p.objects[random_below(&p.seed, live)];
        size_t size = take_size(&p);
        uint64_t start = now_ns();
        free_object(*object);
        samples[2 * i] = lasted(start, cost);
        start = now_ns();
        *object = make_object(size);
        samples[2 * i + 1] = lasted(start, cost);
    }
    population_free(&p);
    sort_samples(samples, 2 * operations);
    report_percentile("p50_ns", samples, 2 * operations, 0.5);
    report_percentile("p99_ns", samples, 2 * operations, 0.99);
    report_percentile("p99.99_ns", samples, 2 * operations, 0.9999);
}

/* A field of /proc/self/status, which is in KiB there, in bytes. (The peak that
 * getrusage says may be that of the program which was here before exec.) */
static size_t status_bytes(const char *field)
{
    char line[256];
    unsigned long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    if (!file)
        die("cannot read /proc/self/status");
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, field, strlen(field)) == 0)
            sscanf(line + strlen(field), " %lu", &kib);
    fclose(file);
    if (!kib)
        die("/proc/self/status has no %s", field);
    return kib * 1024;
}

/* Peak growth of resident memory, for each byte asked for at the peak. */
void race_footprint(size_t live, size_t operations)
{
    uint64_t seed = 362436069;
    void **objects = own_memory(live * sizeof(*objects));
    uint16_t *sizes = own_memory(live * sizeof(*sizes));
    size_t before = status_bytes("VmRSS:"), bytes = 0, peak = 0;
    for (size_t i = 0; i < live + operations; i++) {
        size_t k = i < live ? i : random_below(&seed, live);
        if (objects[k])
            free_object(objects[k]);
        bytes -= sizes[k];
        sizes[k] = small_sizes[i % SIZES];
        objects[k] = make_object(sizes[k]);
        bytes += sizes[k];
        peak = bytes > peak ? bytes : peak;
    }
    size_t grown = status_bytes("VmHWM:") - before;
    report("peak_ratio", (double)grown / (double)peak);
    for (size_t k = 0; k < live; k++)
        free_object(objects[k]);
}
