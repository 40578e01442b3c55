/* Recording what the heap is asked for, and doing it again. */
#include "kernel/command.h"
#include "kernel/ktrace.h"

#include <oct/errno.h>
#include <oct/print.h>
#include <oct/string.h>
#include <oct/trace.h>

static const char *start(size_t bytes)
{
    switch (ktrace_start(bytes)) {
    case 0:
        return "Recording.";
    case -EBUSY:
        return "It is recording already.";
    case -ENOMEM:
        return "There is not so much memory in a row.";
    default:
        return "That is too little memory.";
    }
}

static void show(void)
{
    struct ktrace_status s = ktrace_status();
    if (s.limit == 0)
        kprintf("Nothing is recorded.\n");
    else
        kprintf("%s: %llu events, %zu bytes of at most %zu\n",
                s.on ? "recording" : "recorded", (unsigned long long)s.events,
                s.bytes, s.limit);
}

/* What was recorded; else, if `loaded` says so, what came with the kernel. */
static const void *find_trace(size_t *n, bool loaded)
{
    const void *trace = ktrace_recorded(n);
    if (!trace && ktrace_status().on)
        kprintf("It is still recording: \"trace stop\" ends that.\n");
    else if (!trace && loaded)
        trace = ktrace_loaded(n);
    if (!trace && !ktrace_status().on)
        kprintf("There is no trace.\n");
    return trace;
}

static void dump(void)
{
    size_t n;
    const void *trace = find_trace(&n, false);
    if (trace)
        ktrace_dump(trace, n);
}

static void do_replay(void)
{
    size_t n;
    const void *trace = find_trace(&n, true);
    if (trace)
        (void)ktrace_replay(trace, n);
}

static const struct {
    const char *name;
    void (*act)(void);
} actions[] = {
    {"stop", ktrace_stop},
    {"show", show},
    {"dump", dump},
    {"replay", do_replay},
};

COMMAND(trace, "start [BYTES]|stop|show|dump|replay",
        "records what kmalloc is asked for")
{
    size_t bytes = KTRACE_BYTES;
    if (argc > 1 && strcmp(argv[1], "start") == 0) {
        if (argc > 3 || (argc == 3 && !command_number(argv[2], &bytes)))
            return false;
        kprintf("%s\n", start(bytes));
        return true;
    }
    for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(actions); i++)
        if (strcmp(argv[1], actions[i].name) == 0) {
            actions[i].act();
            return true;
        }
    return false;
}
