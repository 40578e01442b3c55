/* Who has how many: object caches, and the heap by call site. */
#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/symbols.h"
#include "mm/kdebug.h"
#include "mm/pmm.h"
#include "mm/slab.h"

#include <oct/kview.h>
#include <oct/print.h>
#include <oct/string.h>

/* --- object caches --- */

static void print_cache(void *context, const struct slab_stats *s)
{
    size_t *frames = context;
    kprintf("  %-24s %8zu %9zu %9zu %7zu %9llu\n", s->name, s->size, s->live,
            s->total, s->slabs, s->frames * (PAGE_SIZE / KiB));
    *frames += s->frames;
}

COMMAND(slabs, "", "lists the object caches")
{
    size_t frames = 0;
    if (argc > 1)
        return false;
    kprintf(BOLD "  %-24s %8s %9s %9s %7s %9s" PLAIN "\n", "cache", "size",
            "live", "room for", "slabs", "KiB");
    kmem_cache_visit(print_cache, &frames);
    kprintf("  %-24s %55llu\n", "all", frames * (PAGE_SIZE / KiB));
    return true;
}

/* --- the heap by call site --- */

struct site {
    vaddr_t caller; /* 0: not known */
    size_t count, bytes;
};

/* In frames of its own: what is counted must not change by it. */
struct sites {
    struct site *site;
    size_t count, room; /* sites */
    size_t frames;
    unsigned long mark; /* only objects with higher numbers count */
};

static unsigned long mark;

static bool counts(const struct sites *s, const struct kdebug_object *o)
{
    return !o->freed_by && (s->mark == 0 || o->sequence > s->mark);
}

static void count_object(void *context, const struct kdebug_object *o)
{
    struct sites *s = context;
    s->room += counts(s, o);
}

static void add_object(void *context, const struct kdebug_object *o)
{
    struct sites *s = context;
    size_t i = 0;
    if (!counts(s, o))
        return;
    while (i < s->count && s->site[i].caller != o->allocated_by)
        i++;
    if (i == s->room)
        return;
    if (i == s->count)
        s->site[s->count++] = (struct site){.caller = o->allocated_by};
    s->site[i].count++;
    s->site[i].bytes += o->size;
}

static bool collect(struct sites *s)
{
    *s = (struct sites){.mark = mark};
    kdebug_each(count_object, s);
    s->frames = (s->room * sizeof(*s->site) + PAGE_SIZE - 1) / PAGE_SIZE;
    paddr_t pa = s->room > 0 ? pmm_allocs(s->frames) : 0;
    if (!pa)
        return s->room == 0;
    s->site = phys_to_virt(pa);
    kdebug_each(add_object, s);
    return true;
}

static void discard(struct sites *s)
{
    if (s->site)
        (void)pmm_frees(virt_to_phys(s->site), s->frames);
}

/* The next in order of bytes, most first; NULL behind the last. */
static struct site *take_largest(struct sites *s)
{
    struct site *best = NULL;
    for (struct site *i = s->site; i < s->site + s->count; i++)
        if (i->count > 0 && (!best || i->bytes > best->bytes))
            best = i;
    return best;
}

static void print_sites(struct sites *s)
{
    struct site *i;
    size_t count = 0, bytes = 0;
    kprintf(BOLD "  %8s %12s  %s" PLAIN "\n", "objects", "bytes",
            "allocated by");
    while ((i = take_largest(s))) {
        kprintf("  %8zu %12zu  %s\n", i->count, i->bytes,
                i->caller ? symbol_text(i->caller).text : "(not recorded)");
        count += i->count;
        bytes += i->bytes;
        i->count = 0;
    }
    kprintf("  %8zu %12zu  %s\n", count, bytes,
            s->mark ? "since the mark, and live" : "all");
}

static void set_mark(void)
{
    struct kdebug_stats stats;
    kdebug_stats(&stats);
    mark = stats.sequence;
    kprintf("From now on \"leaks\" shows what was allocated after this.\n");
}

COMMAND(leaks, "[mark|all]", "lists live heap objects by call site")
{
    struct sites sites;
    if (argc > 2 || (argc == 2 && strcmp(argv[1], "mark") != 0 &&
                     strcmp(argv[1], "all") != 0))
        return false;
    if (!(kdebug_flags() & KDEBUG_OWNER)) {
        kprintf("Call sites are not recorded. Boot with heap=owner, or say "
                "\"kdebug owner\".\n");
        return true;
    }
    if (argc == 2 && argv[1][0] == 'm') {
        set_mark();
        return true;
    }
    if (argc == 2)
        mark = 0;
    if (collect(&sites))
        print_sites(&sites);
    else
        kprintf("There is no memory to count in.\n");
    discard(&sites);
    return true;
}

COMMAND(kdebug, "[off|all|WORD,...]", "switches the debugging of the heap")
{
    struct kdebug_stats s;
    unsigned flags = 0;
    if (argc > 2)
        return false;
    if (argc == 2 && strcmp(argv[1], "off") != 0 &&
        (flags = kdebug_parse(argv[1])) == 0)
        return false;
    if (argc == 2 && kdebug_set(flags))
        kprintf("There is no memory for that.\n");
    kdebug_stats(&s);
    flags = kdebug_flags();
    kprintf("  on: %s%s%s%s%s\n", flags ? "" : "nothing",
            flags & KDEBUG_REDZONE ? "redzone " : "",
            flags & KDEBUG_POISON ? "poison " : "",
            flags & KDEBUG_QUARANTINE ? "quarantine " : "",
            flags & KDEBUG_OWNER ? "owner" : "");
    kprintf("  %lu objects recorded, %lu of them damaged; %zu live are of "
            "another kind\n",
            s.sequence, s.damaged, s.others);
    kprintf("  %zu in quarantine, %zu bytes\n", s.quarantined,
            s.quarantined_bytes);
    return true;
}
