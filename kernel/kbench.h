/* Benchmarks: BENCH(name, n) { ... } does n operations between METER_START and
 * METER_STOP; what is outside of them is not counted. */
#pragma once

#include <oct/arch.h>
#include <oct/types.h>

struct meter {
    uint64_t counts; /* of arch_counter, summed up */
    uint64_t started;
};

struct bench {
    const char *name;
    unsigned operations;
    void (*run)(struct meter *);
};

#define BENCH(name, operations)                                                \
    static void bench_##name(struct meter *meter);                             \
    static const struct bench bench_entry_##name                               \
        __attribute__((used, section("benches"), aligned(sizeof(void *)))) = { \
            #name, operations, bench_##name};                                  \
    static void bench_##name(struct meter *meter)

#define METER_START (meter->started = arch_counter())
#define METER_STOP (meter->counts += arch_counter() - meter->started)

/* Runs those whose name begins with one of the comma-separated words of
 * `filter` (NULL: all) and prints a line for each, "bench NAME COUNT": what
 * arch_counter counted for one operation, to a tenth. Without a filter also
 * runs the script that gives the same results on every machine. Returns how
 * many benchmarks there were. */
unsigned kbench_run(const char *filter);

/* bench/script.c: a fixed list of operations. Prints lines "result NAME VALUE",
 * equal on all machines, and "fact NAME VALUE", which may differ. */
void bench_script(void);
