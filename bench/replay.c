/* A trace on the kernel heap, and on the frames behind it. */
#include "kernel/ktrace.h"
#include "mm/kheap.h"
#include "mm/pmm.h"
#include "mm/vmalloc.h"

#include <oct/arch.h>
#include <oct/print.h>
#include <oct/replay.h>
#include <oct/report.h>

#define FLAGS (GFP_KERNEL | __GFP_NOWARN)
#define ALIGNED 32 /* bytes that every object is aligned to */

/* Powers of two are aligned to their size. */
static void *alloc(uint64_t size, uint64_t align)
{
    if (size > SIZE_MAX / 2 || align > PAGE_SIZE)
        return NULL;
    if (align > ALIGNED) {
        while (align < size)
            align *= 2;
        size = align;
    }
    return kmalloc((size_t)size, FLAGS);
}

static void *resize(void *p, uint64_t size)
{
    return size > SIZE_MAX ? NULL : krealloc(p, (size_t)size, FLAGS);
}

static void release(void *p)
{
    kfree(p);
}

static uint64_t taken(void)
{
    struct frames_stats s;
    pmm_stats(&s);
    return (uint64_t)(s.total - s.free) * PAGE_SIZE;
}

static const struct replay_ops kernel_heap = {.alloc = alloc,
                                              .resize = resize,
                                              .free = release,
                                              .taken = taken,
                                              .clock = arch_counter};

static void line(const char *kind, const char *name, uint64_t value)
{
    kprintf("%s replay_%-17s %llu\n", kind, name, (unsigned long long)value);
}

static void print_report(const struct trace_facts *facts,
                         const struct replay_report *checked)
{
    kprintf("replay of %s on the %s heap\n", facts->name, kheap_name());
    line("result", "events", facts->events);
    line("result", "objects", facts->allocs);
    line("result", "peak_live_bytes", checked->peak_live);
    line("result", "damaged", checked->damaged);
    line("fact", "refused", checked->refused);
    line("fact", "peak_taken_bytes", checked->peak_taken);
    for (size_t i = 0; i < checked->samples; i++)
        kprintf("series %llu %llu %llu\n",
                (unsigned long long)checked->sample[i].step,
                (unsigned long long)checked->sample[i].live,
                (unsigned long long)checked->sample[i].taken);
}

static void print_time(const struct replay_report *timed)
{
    uint64_t counts =
        timed->clock > timed->reading ? timed->clock - timed->reading : 0;
    uint64_t tenths = timed->events ? counts * 10 / timed->events : 0;
    kprintf("bench %-24s %6llu.%llu\n", "replay",
            (unsigned long long)tenths / 10, (unsigned long long)tenths % 10);
}

static bool replay_with(const void *trace, size_t n,
                        const struct trace_facts *facts, void *memory)
{
    static struct replay_report checked, timed;
    kheap_trim();
    const char *wrong =
        replay(trace, n, facts, &kernel_heap, true, memory, &checked);
    if (wrong) {
        report(0, "replay: the trace is wrong: %s", wrong);
        return false;
    }
    print_report(facts, &checked);
    kheap_trim();
    (void)replay(trace, n, facts, &kernel_heap, false, memory, &timed);
    print_time(&timed);
    if (checked.damaged || timed.damaged)
        report(0, "replay: contents of objects were wrong, first at event %llu",
               (unsigned long long)(checked.damaged ? checked.damaged_at
                                                    : timed.damaged_at));
    return !checked.damaged && !timed.damaged;
}

bool ktrace_replay(const void *trace, size_t n)
{
    struct trace_facts facts;
    const char *wrong = trace_check(trace, n, &facts);
    if (wrong) {
        report(0, "replay: the trace is wrong: %s", wrong);
        return false;
    }
    void *memory = vzalloc(replay_bytes(&facts) + 1);
    if (!memory) {
        report(0, "replay: no memory for %zu bytes", replay_bytes(&facts));
        return false;
    }
    bool good = replay_with(trace, n, &facts, memory);
    vfree(memory);
    return good;
}
