/* Recording. All memory is taken when it starts, so that what is recorded is
 * not disturbed and tests that count frames may run meanwhile. */
#include "kernel/ktrace.h"
#include "mm/kheap_watch.h"
#include "mm/pmm.h"

#include <oct/arch.h>
#include <oct/errno.h>
#include <oct/kview.h>
#include <oct/lock.h>
#include <oct/print.h>
#include <oct/report.h>
#include <oct/string.h>
#include <oct/tracer.h>

#define LEAST (4 * PAGE_SIZE)
#define LINE 32 /* bytes of a trace on a line of the dump */

static struct {
    struct lock lock; /* guards all of it */
    bool on;
    struct tracer tracer;
    paddr_t frames; /* the memory, 0 if none */
    size_t count;   /* frames */
    uint8_t *trace; /* in it */
    size_t bytes, limit;
} rec;

static const struct boot_info *boot_info;

static void put(void *context, const void *bytes, size_t n)
{
    (void)context;
    memcpy(rec.trace + rec.bytes, bytes, n);
    rec.bytes += n;
}

static void stop_locked(void)
{
    if (!rec.on)
        return;
    rec.on = false;
    kheap_watcher = NULL;
    trace_write_end(&rec.tracer.writer);
}

static void watch(const void *old, const void *p, size_t size)
{
    lock_acquire(&rec.lock);
    if (rec.limit - rec.bytes < TRACE_EVENT_MAX + TRACE_END_MAX ||
        tracer_is_full(&rec.tracer))
        stop_locked();
    if (rec.on)
        tracer_event(&rec.tracer, arch_cpu_id(), old, p, size, 0);
    lock_release(&rec.lock);
}

static void forget(void)
{
    if (rec.frames)
        (void)pmm_frees(rec.frames, rec.count);
    rec.frames = 0;
    rec.bytes = 0;
}

static void begin(uint8_t *memory, size_t half)
{
    rec.tracer = (struct tracer){.writer.put = put};
    memset(memory, 0, half);
    tracer_move(&rec.tracer, memory, tracer_entries(half));
    rec.trace = memory + half;
    rec.limit = half;
    rec.bytes = 0;
    trace_write_header(&rec.tracer.writer, "oct", sizeof(void *));
    rec.on = true;
    kheap_watcher = watch;
}

int ktrace_start(size_t bytes)
{
    if (rec.on)
        return -EBUSY;
    size_t n = bytes / PAGE_SIZE;
    if (bytes < LEAST)
        return -EINVAL;
    forget();
    rec.frames = pmm_allocs(n);
    if (!rec.frames)
        return -ENOMEM;
    rec.count = n;
    lock_acquire(&rec.lock);
    begin(phys_to_virt(rec.frames), n / 2 * PAGE_SIZE);
    lock_release(&rec.lock);
    return 0;
}

void ktrace_stop(void)
{
    lock_acquire(&rec.lock);
    stop_locked();
    lock_release(&rec.lock);
}

struct ktrace_status ktrace_status(void)
{
    return (struct ktrace_status){.on = rec.on,
                                  .events = rec.tracer.writer.events,
                                  .bytes = rec.bytes,
                                  .limit = rec.frames ? rec.limit : 0};
}

const void *ktrace_recorded(size_t *n)
{
    if (rec.on || !rec.frames)
        return NULL;
    *n = rec.bytes;
    return rec.trace;
}

const void *ktrace_loaded(size_t *n)
{
    const struct boot_info *b = boot_info;
    if (!b->initrd || b->initrd > DIRECT_END ||
        b->initrd_size > DIRECT_END - b->initrd)
        return NULL;
    *n = (size_t)b->initrd_size;
    return phys_to_virt(b->initrd);
}

void ktrace_dump(const void *trace, size_t n)
{
    const uint8_t *bytes = trace;
    kprintf("trace begins: %zu bytes\n", n);
    for (size_t at = 0; at < n; at += LINE) {
        char line[2 * LINE + 1];
        for (size_t i = 0; i < LINE && at + i < n; i++)
            snprintf(line + 2 * i, 3, "%02x", bytes[at + i]);
        kprintf("trace: %s\n", line);
    }
    kprintf("trace ends\n");
}

/* "trace=256K test": copies what follows the '=' of such a word, as far as the
 * first blank. False if there is no word `trace`. */
static bool find_word(const char *words, char *value, size_t size)
{
    for (const char *word = words; word; word = strchr(word, ' ')) {
        while (*word == ' ')
            word++;
        if (strncmp(word, "trace", 5) != 0)
            continue;
        const char *from = word[5] == '=' ? word + 6 : word + 5;
        const char *blank = strchr(from, ' ');
        size_t n = blank ? (size_t)(blank - from) : strlen(from);
        if (word[5] && word[5] != ' ' && word[5] != '=')
            continue;
        strlcpy(value, from, min_size(size, n + 1));
        return true;
    }
    return false;
}

void ktrace_init(const struct boot_info *boot)
{
    char value[16];
    unsigned long long bytes = KTRACE_BYTES;
    boot_info = boot;
    if (!find_word(boot->command_line, value, sizeof(value)))
        return;
    if (*value && (!parse_number(value, &bytes) || bytes > SIZE_MAX))
        bytes = 0;
    int error = ktrace_start((size_t)bytes);
    if (error)
        report(0, "trace: %s", error == -ENOMEM ? "no memory" : "a bad size");
}
