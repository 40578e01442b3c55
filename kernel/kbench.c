#include "kernel/kbench.h"
#include "kernel/ktest.h"

#include <oct/print.h>

#define WARM_UP 2
#define TIMES 8

extern const struct bench benches_start[], benches_end[];

static uint64_t measure(const struct bench *b, unsigned times)
{
    struct meter meter = {0};
    for (unsigned i = 0; i < times; i++)
        b->run(&meter);
    return meter.counts;
}

/* What reading the counter twice costs by itself. */
static void bench_nothing(struct meter *meter)
{
    METER_START;
    METER_STOP;
}

static const struct bench nothing = {"nothing", 1, bench_nothing};

static void run_and_print(const struct bench *b)
{
    (void)measure(b, WARM_UP);
    uint64_t counts = measure(b, TIMES), empty = measure(&nothing, TIMES);
    uint64_t operations = (uint64_t)b->operations * TIMES;
    uint64_t tenths = counts > empty ? (counts - empty) * 10 / operations : 0;
    kprintf("bench %-24s %6llu.%llu\n", b->name,
            (unsigned long long)tenths / 10, (unsigned long long)tenths % 10);
}

unsigned kbench_run(const char *filter)
{
    unsigned n = 0;
    for (const struct bench *b = benches_start; b < benches_end; b++) {
        if (!ktest_selected(filter, b->name))
            continue;
        run_and_print(b);
        n++;
    }
    if (!filter)
        bench_script();
    return n;
}
