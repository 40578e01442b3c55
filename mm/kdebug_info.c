/* What heap debugging tells: the objects, whether they are whole, and the words
 * that switch it. */
#include "mm/kdebug_parts.h"

#include <oct/assert.h>
#include <oct/report.h>
#include <oct/string.h>

bool kdebug_is_recorded(const void *p)
{
    assert(lock_held(&kdebug.lock));
    return exceptions_have(&kdebug.others, p) != (kdebug.flags != 0);
}

/* --- all objects --- */

struct tour {
    void (*visit)(void *context, const struct kdebug_object *o);
    void *context;
};

static void show(void *context, void *p, size_t room)
{
    const struct tour *tour = context;
    assert(p && is_aligned((uintptr_t)p | room, KDEBUG_ALIGN));
    struct kdebug_object o = {.p = p, .size = room, .room = room};
    const struct record *r = record_of(p, room);
    if (kdebug_is_recorded(p) && record_holds(r)) {
        o.recorded = true;
        o.size = r->size;
        o.allocated_by = r->allocated_by;
        o.freed_by = r->freed_by;
        o.sequence = r->sequence;
    }
    tour->visit(tour->context, &o);
}

void kdebug_each(void (*visit)(void *context, const struct kdebug_object *o),
                 void *context)
{
    struct tour tour = {visit, context};
    lock_acquire(&kdebug.lock);
    kheap->ops->each(kheap, show, &tour);
    lock_release(&kdebug.lock);
}

static void look(void *context, void *p, size_t room)
{
    const char **wrong = context;
    if (kdebug_is_recorded(p) && record_report(p, room, "kheap_check", 0))
        *wrong = "kheap: an object is damaged";
}

const char *kdebug_check(void)
{
    const char *wrong = NULL;
    lock_acquire(&kdebug.lock);
    kheap->ops->each(kheap, look, &wrong);
    lock_release(&kdebug.lock);
    return wrong;
}

/* --- switching by words --- */

static const struct {
    const char *name;
    unsigned flags;
} words_known[] = {
    {"redzone", KDEBUG_REDZONE},
    {"poison", KDEBUG_POISON},
    {"quarantine", KDEBUG_QUARANTINE},
    {"owner", KDEBUG_OWNER},
    {"all", KDEBUG_ALL},
};

static unsigned flags_of(const char *word, size_t n)
{
    for (size_t i = 0; i < ARRAY_SIZE(words_known); i++)
        if (strlen(words_known[i].name) == n &&
            strncmp(words_known[i].name, word, n) == 0)
            return words_known[i].flags;
    report(0, "heap=: there is no such word: %s", word);
    return 0;
}

unsigned kdebug_parse(const char *words)
{
    unsigned flags = 0;
    while (*words && *words != ' ') {
        size_t n = 0;
        while (words[n] && words[n] != ' ' && words[n] != ',')
            n++;
        if (n > 0)
            flags |= flags_of(words, n);
        words += n + (words[n] == ',');
    }
    return flags;
}
