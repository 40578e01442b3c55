/* octtrace: traces (docs/traces.md) on the host.
 *
 *   octtrace info FILE              what is in it
 *   octtrace text FILE              its events, a line each
 *   octtrace replay [--check] FILE  through this program's malloc
 *   octtrace from-console FILE      out of what an oct kernel printed, to
 *                                   standard output
 *
 * LD_PRELOAD chooses the malloc that a replay goes through; nothing else here
 * uses it. --check writes and compares all bytes instead of a few. A FILE of
 * "-" is standard input. Status: 0, 1 if an object's content was wrong, 2 if
 * the trace is no good or cannot be read. */
#include "lab/trace/host.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <oct/replay.h>

static struct trace_facts check(const struct text *trace)
{
    struct trace_facts facts;
    const char *wrong = trace_check(trace->bytes, trace->n, &facts);
    if (wrong)
        die("%s: %s", trace->path, wrong);
    return facts;
}

static int info(const struct text *trace)
{
    struct trace_facts f = check(trace);
    printf("program   %s, %u-bit\n", f.name, 8 * f.word);
    printf("bytes     %zu\n", trace->n);
    printf("events    %" PRIu64 "\n", f.events);
    printf("allocs    %" PRIu64 "\n", f.allocs);
    printf("frees     %" PRIu64 "\n", f.frees);
    printf("resizes   %" PRIu64 "\n", f.resizes);
    printf("objects   %" PRIu32 " at once\n", f.slots);
    printf("threads   %" PRIu32 "\n", f.threads);
    return 0;
}

static int text(const struct text *trace)
{
    static const char *const names[] = {"alloc", "free", "resize"};
    struct trace_facts f = check(trace);
    struct trace_reader r;
    struct trace_event e;
    trace_read(&r, trace->bytes, trace->n, host_map(4 * (size_t)f.slots),
               f.slots);
    while (trace_next(&r, &e)) {
        printf("%" PRIu32 " %s %" PRIu32, e.thread, names[e.op], e.slot);
        if (e.op != TRACE_FREE)
            printf(" %" PRIu64, e.size);
        if (e.align_log)
            printf(" align %llu", 1ull << e.align_log);
        putchar('\n');
    }
    if (r.wrong)
        die("%s: %s", trace->path, r.wrong);
    return 0;
}

/* Lines of tab-separated names and values: result, fact and series. */
static void print_report(const struct trace_facts *facts,
                         const struct replay_report *r)
{
    uint64_t ns = r->clock > r->reading ? r->clock - r->reading : 0;
    printf("program\t%s\n", facts->name);
    printf("events\t%" PRIu64 "\n", r->events);
    printf("ns\t%.2f\n", r->events ? (double)ns / (double)r->events : 0.0);
    printf("peak_live\t%" PRIu64 "\n", r->peak_live);
    printf("peak_taken\t%" PRIu64 "\n", r->peak_taken);
    printf("refused\t%" PRIu64 "\n", r->refused);
    printf("damaged\t%" PRIu64 "\n", r->damaged);
    for (size_t i = 0; i < r->samples; i++)
        printf("series\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n",
               r->sample[i].step, r->sample[i].live, r->sample[i].taken);
}

static int replay_here(const struct text *trace, bool thorough)
{
    static struct replay_report report;
    struct trace_facts facts = check(trace);
    /* Some set themselves up before main, others with the first call. */
    host_malloc.free(host_malloc.alloc(1, 0));
    const char *wrong =
        replay(trace->bytes, trace->n, &facts, &host_malloc, thorough,
               host_map(replay_bytes(&facts)), &report);
    if (wrong)
        die("%s: %s", trace->path, wrong);
    print_report(&facts, &report);
    if (report.damaged)
        fprintf(stderr,
                "octtrace: %s: %" PRIu64 " objects were damaged, the first "
                "found at event %" PRIu64 "\n",
                trace->path, report.damaged, report.damaged_at);
    return report.damaged ? 1 : 0;
}

static int from_console(const struct text *console)
{
    struct text trace = {.path = console->path};
    if (!console_trace(console, &trace))
        die("%s: no whole trace between \"trace begins\" and \"trace ends\"",
            console->path);
    (void)check(&trace);
    if (fwrite(trace.bytes, 1, trace.n, stdout) != trace.n || fflush(stdout))
        die("cannot write the trace");
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    bool thorough = argc == 4 && strcmp(argv[2], "--check") == 0;
    if (argc == 3 + thorough) {
        struct text file = host_read(argv[argc - 1]);
        if (strcmp(what, "replay") == 0)
            return replay_here(&file, thorough);
        if (!thorough && strcmp(what, "info") == 0)
            return info(&file);
        if (!thorough && strcmp(what, "text") == 0)
            return text(&file);
        if (!thorough && strcmp(what, "from-console") == 0)
            return from_console(&file);
    }
    die("usage: octtrace info|text|replay [--check]|from-console FILE");
}
