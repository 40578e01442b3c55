/* The clock stands still while samples are taken. A first pass through the
 * trace finds the moment when most is live, to sample just then, and what it
 * costs to read the trace. */
#include <oct/replay.h>
#include <oct/string.h>

struct object {
    void *p; /* NULL: not live, or was refused */
    uint64_t size;
    uint32_t owner;
};

struct run {
    const struct replay_ops *ops;
    struct replay_report *report;
    struct trace_reader reader;
    struct object *objects;
    uint64_t stride; /* bytes between those looked at */
    uint64_t live, base, peak_at, next_sample;
};

#define PATTERN 4 /* bytes; it begins anew at multiples in the object */

size_t replay_bytes(const struct trace_facts *facts)
{
    return facts->slots * (sizeof(struct object) + sizeof(uint32_t));
}

/* --- contents --- */

static uint8_t pattern(const struct object *o, uint64_t at)
{
    return (uint8_t)(o->owner >> 8 * (at % PATTERN));
}

/* Writes up to PATTERN bytes at `at`, or looks whether they are there. */
static bool visit(const struct object *o, uint64_t at, uint64_t size,
                  bool write)
{
    uint8_t *p = o->p;
    uint64_t end = size - at < PATTERN ? size : at + PATTERN;
    for (; at < end; at++)
        if (write)
            p[at] = pattern(o, at);
        else if (p[at] != pattern(o, at))
            return false;
    return true;
}

/* The first `size` bytes, and the last of all if it is among them. */
static bool visit_all(const struct run *run, const struct object *o,
                      uint64_t size, bool write)
{
    for (uint64_t at = 0; at < size; at += run->stride)
        if (!visit(o, at, size, write))
            return false;
    return size == 0 || size < o->size || visit(o, size - 1, size, write);
}

static void expect(struct run *run, bool good)
{
    if (good)
        return;
    if (run->report->damaged++ == 0)
        run->report->damaged_at = run->reader.events;
}

/* --- events --- */

static void set_live(struct run *run, struct object *o, uint64_t size)
{
    run->live += size - o->size;
    o->size = size;
}

static void do_alloc(struct run *run, const struct trace_event *e)
{
    struct object *o = &run->objects[e->slot];
    uint64_t align = e->align_log ? 1ull << e->align_log : 0;
    o->owner = (uint32_t)run->reader.events * 2654435761u;
    o->p = run->ops->alloc(e->size, align);
    run->report->refused += !o->p;
    if (!o->p)
        return;
    set_live(run, o, e->size);
    expect(run, align == 0 || is_aligned((uintptr_t)o->p, align));
    visit_all(run, o, o->size, true);
}

static void do_free(struct run *run, struct object *o)
{
    if (!o->p)
        return;
    expect(run, visit_all(run, o, o->size, false));
    run->ops->free(o->p);
    set_live(run, o, 0);
    o->p = NULL;
}

static void do_resize(struct run *run, const struct trace_event *e)
{
    struct object *o = &run->objects[e->slot];
    uint64_t kept = e->size < o->size ? e->size : o->size;
    void *p = o->p ? run->ops->resize(o->p, e->size ? e->size : 1) : NULL;
    run->report->refused += !p;
    if (!p)
        return;
    o->p = p;
    expect(run, visit_all(run, o, kept, false));
    set_live(run, o, e->size);
    visit_all(run, o, o->size, true);
}

static void do_event(struct run *run, const struct trace_event *e)
{
    if (e->op == TRACE_ALLOC)
        do_alloc(run, e);
    else if (e->op == TRACE_RESIZE)
        do_resize(run, e);
    else
        do_free(run, &run->objects[e->slot]);
}

/* --- the whole --- */

static void take_sample(struct run *run, uint64_t step)
{
    struct replay_report *report = run->report;
    uint64_t taken = run->ops->taken();
    taken = taken > run->base ? taken - run->base : 0;
    report->sample[report->samples++] =
        (struct replay_sample){step, run->live, taken};
    if (taken > report->peak_taken)
        report->peak_taken = taken;
}

/* Sizes as the trace tells them, in `objects`, which are as before afterwards.
 */
static const char *look_ahead(struct run *run)
{
    struct trace_event e;
    uint64_t live = 0;
    while (trace_next(&run->reader, &e)) {
        uint64_t *size = &run->objects[e.slot].size;
        live += e.size - *size;
        *size = e.size;
        if (live > run->report->peak_live) {
            run->report->peak_live = live;
            run->peak_at = run->reader.events;
        }
    }
    return run->reader.wrong;
}

static uint64_t cost_of_reading(struct run *run)
{
    struct trace_event e;
    uint64_t started = run->ops->clock();
    while (trace_next(&run->reader, &e))
        continue;
    return run->ops->clock() - started;
}

static void go(struct run *run, uint64_t interval)
{
    struct trace_event e;
    uint64_t started = run->ops->clock();
    while (trace_next(&run->reader, &e)) {
        do_event(run, &e);
        uint64_t now = run->reader.events;
        if (now != run->next_sample && now != run->peak_at)
            continue;
        run->report->clock += run->ops->clock() - started;
        take_sample(run, now);
        run->next_sample += now == run->next_sample ? interval : 0;
        started = run->ops->clock();
    }
    run->report->clock += run->ops->clock() - started;
}

const char *replay(const void *trace, size_t n, const struct trace_facts *facts,
                   const struct replay_ops *ops, bool thorough, void *memory,
                   struct replay_report *report)
{
    struct run run = {.ops = ops,
                      .report = report,
                      .objects = memory,
                      .stride = thorough ? PATTERN : 4096};
    uint32_t *next = (uint32_t *)(run.objects + facts->slots);
    uint64_t interval = facts->events / REPLAY_SAMPLES + 1;
    *report = (struct replay_report){.events = facts->events};
    memset(run.objects, 0, facts->slots * sizeof(*run.objects));

    trace_read(&run.reader, trace, n, next, facts->slots);
    const char *wrong = look_ahead(&run);
    if (wrong)
        return wrong;
    trace_read(&run.reader, trace, n, next, facts->slots);
    report->reading = cost_of_reading(&run);

    memset(run.objects, 0, facts->slots * sizeof(*run.objects));
    trace_read(&run.reader, trace, n, next, facts->slots);
    (void)ops->taken(); /* its own first needs are not the allocator's */
    run.base = ops->taken();
    run.next_sample = interval;
    take_sample(&run, 0);
    go(&run, interval);
    for (uint32_t slot = 0; slot < facts->slots; slot++)
        do_free(&run, &run.objects[slot]);
    return NULL;
}
