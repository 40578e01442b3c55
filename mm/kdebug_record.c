/* Records: how they are made, and what is told of a damaged object. */
#include "mm/kdebug_parts.h"

#include <oct/assert.h>
#include <oct/report.h>
#include <oct/string.h>

/* FNV-1a over all that comes before `check`, and where the record lies. */
static uint32_t sum(const struct record *r)
{
    const uint8_t *byte = (const uint8_t *)r;
    uint32_t hash = 2166136261u ^ (uint32_t)(uintptr_t)r;
    for (size_t i = 0; i < offsetof(struct record, check); i++)
        hash = (hash ^ byte[i]) * 16777619u;
    return hash;
}

void record_seal(struct record *r)
{
    r->check = sum(r);
}

bool record_holds(const struct record *r)
{
    return r->check == sum(r);
}

static size_t zone_end(size_t room)
{
    return room - sizeof(struct record);
}

void record_dress(void *p, size_t room, const struct record *as)
{
    struct record *r = record_of(p, room);
    assert(room >= sizeof(*r) + as->size);
    *r = *as;
    memset(r->guard, KDEBUG_ZONE, sizeof(r->guard));
    record_seal(r);
    if (r->flags & KDEBUG_REDZONE)
        memset((char *)p + r->size, KDEBUG_ZONE, zone_end(room) - r->size);
}

/* How many bytes from the first on lie before the last that differs. */
static size_t changed_up_to(const void *p, size_t n, uint8_t byte)
{
    const uint8_t *bytes = p;
    while (n > 0 && bytes[n - 1] == byte)
        n--;
    return n;
}

/* How many bytes lie behind the first that differs, it included. */
static size_t changed_from(const void *p, size_t n, uint8_t byte)
{
    const uint8_t *bytes = p;
    for (; n > 0 && *bytes == byte; n--)
        bytes++;
    return n;
}

const char *record_damage(const void *p, size_t room, size_t *extent)
{
    const struct record *r = record_of(p, room);
    const char *bytes = p;
    assert(room >= sizeof(*r));
    *extent = sizeof(*r);
    if (!record_holds(r) || r->size > zone_end(room))
        return "the record at its end is overwritten";
    if (r->flags & KDEBUG_REDZONE) {
        *extent = changed_up_to(bytes + r->size, zone_end(room) - r->size,
                                KDEBUG_ZONE);
        if (*extent)
            return "overrun by";
        *extent = changed_from(r->guard, sizeof(r->guard), KDEBUG_ZONE);
        if (*extent)
            return "what lies behind it is underrun by";
    }
    *extent = 0;
    if (r->freed && (r->flags & KDEBUG_POISON))
        *extent = changed_up_to(p, r->size, KDEBUG_FREED);
    return *extent ? "written after it was freed, within" : NULL;
}

const char *record_report(const void *p, size_t room, const char *who,
                          vaddr_t caller)
{
    size_t extent;
    assert(lock_held(&kdebug.lock));
    const struct record *r = record_of(p, room);
    const char *damage = record_damage(p, room, &extent);
    if (!damage)
        return NULL;
    if (!record_holds(r)) {
        report(caller, "%s: %p (%zu bytes with it): %s", who, p, room, damage);
        return damage;
    }
    report(caller, "%s: %p (%zu bytes): %s %zu bytes", who, p, r->size, damage,
           extent);
    report(r->allocated_by, "  object %lu, allocated", r->sequence);
    if (r->freed)
        report(r->freed_by, "  and freed");
    return damage;
}
