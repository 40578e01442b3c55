/* The races that take single frames. */
#include "lab/race/frames.h"

#include <pthread.h>

MEASURED void measured_fill(struct range *r)
{
    take_all(r);
}

/* An operation: one frame taken, until all are. It is the second time, so that
 * the memory which the manager needs is there. */
void race_fill(struct range *r, size_t operations)
{
    (void)operations;
    take_all(r);
    free_all(r);
    oct_frames_trim(r->manager);
    uint64_t start = busy_ns();
    measured_fill(r);
    report_time(busy_ns() - start, r->n);
}

MEASURED void measured_pairs(struct range *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free_frame(r, take_frame(r));
}

static void race_pairs(struct range *r, size_t operations)
{
    uint64_t start = busy_ns();
    measured_pairs(r, operations);
    report_time(busy_ns() - start, operations);
}

/* An operation: one frame taken and freed, while random ones of all are taken:
 * half, */
void race_pair(struct range *r, size_t operations)
{
    fill_randomly(r, 50);
    race_pairs(r, operations);
}

/* or all but one. */
void race_one_left(struct range *r, size_t operations)
{
    take_all(r);
    free_random(r);
    race_pairs(r, operations);
}

MEASURED uint32_t measured_take(struct range *r)
{
    return take_frame(r);
}

/* An operation: the only free frame taken, which is another each time and which
 * nobody has at hand. The time is the median's, without the clock's own cost.
 */
void race_one_left_cold(struct range *r, size_t operations)
{
    uint32_t *samples = own_memory(operations * sizeof(*samples));
    uint32_t cost = clock_cost();
    take_all(r);
    for (size_t i = 0; i < operations; i++) {
        uint32_t freed = free_random(r);
        oct_frames_trim(r->manager);
        uint64_t start = now_ns();
        uint32_t number = measured_take(r);
        uint64_t ns = now_ns() - start;
        if (number != freed)
            die("frame %u was given, only %u was free", number, freed);
        r->held[r->n++] = number;
        samples[i] = (uint32_t)(ns > cost ? ns - cost : 1);
    }
    sort_samples(samples, operations);
    report_time(percentile(samples, operations, 0.5) * operations, operations);
}

/* An operation: a random frame freed and one taken, `burst` of each at a time.
 */
static void churn(struct range *r, size_t burst, size_t bursts)
{
    for (size_t i = 0; i < bursts; i++) {
        for (size_t k = 0; k < burst; k++)
            free_random(r);
        for (size_t k = 0; k < burst; k++)
            r->held[r->n++] = take_frame(r);
    }
}

MEASURED void measured_churn(struct range *r, size_t burst, size_t bursts)
{
    churn(r, burst, bursts);
}

static void race_bursts(struct range *r, size_t burst, size_t operations)
{
    size_t bursts = operations / burst + 1;
    fill_randomly(r, 90);
    churn(r, burst, bursts / 10 + 1);
    uint64_t start = busy_ns();
    measured_churn(r, burst, bursts);
    report_time(busy_ns() - start, bursts * burst);
}

void race_churn(struct range *r, size_t operations)
{
    race_bursts(r, 1, operations);
}

/* More than a thread would keep at hand. */
void race_burst(struct range *r, size_t operations)
{
    race_bursts(r, 1000, operations);
}

struct churner {
    struct range part;
    size_t operations;
};

static void *churn_thread(void *argument)
{
    struct churner *c = argument;
    churn(&c->part, 1, c->operations);
    return NULL;
}

/* Two threads, each with half of the frames that are taken; the time is that of
 * the wall for the operations of one. */
void race_churn_threads(struct range *r, size_t operations)
{
    struct churner a = {.operations = operations}, b;
    fill_randomly(r, 90);
    r->n &= ~(size_t)1;
    a.part = *r;
    a.part.n = r->n / 2;
    b = a;
    b.part.held += r->n / 2;
    b.part.seed = 362436069;
    pthread_t thread;
    uint64_t start = now_ns();
    if (pthread_create(&thread, NULL, churn_thread, &a) != 0)
        die("cannot start a thread");
    churn_thread(&b);
    pthread_join(thread, NULL);
    report_time(now_ns() - start, operations);
}

enum { TURNS = 100 };

/* From the worst that can be, random frames of all taken and half of them
 * freed: a tenth of what is taken freed at random and as many taken again, many
 * times. How much of what is free lies then in groups that are all free, as
 * large pages need it? */
void race_reallocation(struct range *r, size_t operations)
{
    struct oct_frames_stats stats;
    fill_randomly(r, 50);
    for (size_t i = 0; i < TURNS * operations; i++)
        churn(r, r->n / 10, 1);
    oct_frames_trim(r->manager);
    oct_frames_stats(r->manager, &stats);
    report("percent",
           100.0 * GROUP * (double)stats.whole_groups / (double)stats.free);
}

static void report_bytes(const struct range *r, size_t bytes)
{
    report("bytes_per_MiB", (double)bytes / ((double)r->bytes / (1 << 20)));
}

void race_metadata_map(struct range *r, size_t operations)
{
    (void)operations;
    struct oct_frames_stats stats;
    oct_frames_stats(r->manager, &stats);
    report_bytes(r, stats.map_bytes);
}

void race_metadata_owners(struct range *r, size_t operations)
{
    (void)operations;
    struct oct_frames_stats stats;
    oct_frames_stats(r->manager, &stats);
    report_bytes(r, stats.owner_bytes);
}
