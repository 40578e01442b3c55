/* Heap races: one workload against whatever malloc this process has.
 *
 *     race-heap WORKLOAD OPERATIONS
 *
 * prints `malloc FILE`, the file that malloc comes from, and what was measured,
 * as lines of `metric value`. Nothing here is told which allocator it is. */
#include "lab/race/heap.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

uint16_t small_sizes[SIZES];
uint16_t mixed_sizes[SIZES];

static const struct workload {
    const char *name;
    void (*race)(size_t parameter, size_t operations);
    size_t parameter;
} workloads[] = {
    {"pair_64", race_pair, 64},
    {"pair_4096", race_pair, 4096},
    {"batch_lifo_64", race_batch_lifo, 64},
    {"batch_mixed", race_batch_mixed, 1000},
    {"churn@1k", race_churn, 1000},
    {"churn@10k", race_churn, 10000},
    {"churn@100k", race_churn, 100000},
    {"latency@10k", race_latency, 10000},
    {"footprint@100k", race_footprint, 100000},
    {"realloc", race_realloc, 128},
    {"larson", race_larson, 5000},
    {"prodcons", race_prodcons, 4096},
};

static void make_sizes(void)
{
    uint64_t seed = 88172645463325252;
    for (size_t i = 0; i < SIZES; i++) {
        size_t a = random_below(&seed, 497), b = random_below(&seed, 497);
        small_sizes[i] = (uint16_t)(16 + (a < b ? a : b));
        mixed_sizes[i] = (uint16_t)(16 + random_below(&seed, 1009));
    }
}

/* A library that cannot be preloaded is ignored by the dynamic linker, and the
 * race would be won by another. */
static void say_whose_malloc(void)
{
    Dl_info info;
    void *symbol = dlsym(RTLD_DEFAULT, "malloc");
    if (!symbol || !dladdr(symbol, &info))
        die("cannot find out whose malloc this is");
    printf("malloc %s\n", info.dli_fname);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("usage: race-heap WORKLOAD OPERATIONS");
    size_t operations = parse_count(argv[2]);
    make_sizes();
    for (size_t i = 0; i < sizeof(workloads) / sizeof(*workloads); i++) {
        const struct workload *w = &workloads[i];
        if (strcmp(w->name, argv[1]) == 0) {
            w->race(w->parameter, operations);
            say_whose_malloc();
            return 0;
        }
    }
    die("no such workload: %s", argv[1]);
}
