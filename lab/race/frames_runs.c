/* The races that take runs of frames. */
#include "lab/race/frames.h"

enum { RUNS = 16 }; /* live at a time */

struct runs {
    size_t length;
    size_t align;
    uint64_t live[RUNS];
};

static uint64_t take_run(struct range *r, struct runs *runs)
{
    uint64_t run = oct_frames_alloc(r->manager, runs->length, runs->align);
    if (!run)
        die("no run of %zu frames, though some are free", runs->length);
    return run;
}

static void free_run(struct range *r, struct runs *runs, uint64_t run)
{
    if (oct_frames_free(r->manager, run, runs->length) != 0)
        die("a run of %zu frames cannot be freed", runs->length);
}

/* An operation: the oldest run freed and another taken. */
MEASURED void measured_runs(struct range *r, struct runs *runs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t *run = &runs->live[i % RUNS];
        free_run(r, runs, *run);
        *run = take_run(r, runs);
    }
}

static void race_runs(struct range *r, struct runs *runs, size_t operations)
{
    take_all(r);
    fragment(r);
    for (size_t i = 0; i < RUNS; i++)
        runs->live[i] = take_run(r, runs);
    uint64_t start = busy_ns();
    measured_runs(r, runs, operations);
    report_time(busy_ns() - start, operations);
    for (size_t i = 0; i < RUNS; i++)
        free_run(r, runs, runs->live[i]);
}

void race_run8(struct range *r, size_t operations)
{
    race_runs(r, &(struct runs){.length = 8, .align = 1}, operations);
}

void race_run64(struct range *r, size_t operations)
{
    race_runs(r, &(struct runs){.length = 64, .align = 1}, operations);
}

/* As a large page needs it. */
void race_run512(struct range *r, size_t operations)
{
    race_runs(r, &(struct runs){.length = GROUP, .align = GROUP}, operations);
}

MEASURED void measured_refusals(struct range *r, size_t align, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (oct_frames_alloc(r->manager, GROUP, align))
            die("a run of %d frames where there is none", GROUP);
}

/* An operation: a run of a whole group refused, which may take long: so no
 * longer than a fifth of a second, if one does not. */
static void race_refusals(struct range *r, size_t align, size_t operations)
{
    const uint64_t enough_ns = 200 * 1000 * 1000;
    uint64_t ns = 0;
    size_t n = 0;
    while (n < operations && ns < enough_ns) {
        size_t step = n ? n : 1;
        if (step > operations - n)
            step = operations - n;
        uint64_t start = busy_ns();
        measured_refusals(r, align, step);
        ns += busy_ns() - start;
        n += step;
    }
    report_time(ns, n);
}

void race_impossible(struct range *r, size_t operations)
{
    take_all(r);
    leave_one_a_group(r, GROUP);
    race_refusals(r, GROUP, operations);
}

/* Nor across groups: runs end one frame too early. */
void race_impossible_anywhere(struct range *r, size_t operations)
{
    take_all(r);
    leave_one_a_group(r, GROUP / 2);
    race_refusals(r, 1, operations);
}
