/* Red zones and poison, for caches that ask for them.
 *
 *        | zone | object | zone | object | ... | object | zone |
 *
 * With SLAB_RED_ZONE every object lies between two zones of a known byte, and
 * neighbours share the one between them. Zones are looked at when an object is
 * freed, and mended after damage was reported, so that it is reported once.
 *
 * With SLAB_POISON a free object is full of another known byte. That is looked
 * at when the object is handed out again: who wrote to it did so after it was
 * freed. A fresh object holds a third byte, so that its owner cannot take it
 * for zeroed.
 */
#include "mm/slab_parts.h"

#include <oct/assert.h>
#include <oct/report.h>
#include <oct/string.h>

#define ZONE_BYTE 0xbb
#define FREE_BYTE 0x6b
#define FRESH_BYTE 0x5a

struct part {
    uint8_t *start;
    size_t bytes;
};

static struct part zone_before(const struct kmem_cache *c, void *p)
{
    return (struct part){(uint8_t *)p - c->zone, c->zone};
}

/* All the way to the next object. */
static struct part zone_behind(const struct kmem_cache *c, void *p)
{
    assert(c->stride >= c->size);
    return (struct part){(uint8_t *)p + c->size, c->stride - c->size};
}

static void fill(struct part part, uint8_t byte)
{
    memset(part.start, byte, part.bytes);
}

/* The first byte of the part that is not as it should be, or NULL. */
static const uint8_t *find_other(struct part part, uint8_t byte)
{
    for (size_t i = 0; i < part.bytes; i++)
        if (part.start[i] != byte)
            return part.start + i;
    return NULL;
}

static bool is_intact(const struct kmem_cache *c, void *p, struct part part,
                      uint8_t byte, vaddr_t caller)
{
    const uint8_t *other = find_other(part, byte);
    if (other)
        report(caller, "slab: %s: %s %p: byte %td is 0x%02x, was 0x%02x",
               c->name, byte == FREE_BYTE ? "free object" : "red zone of", p,
               other - (uint8_t *)p, *other, byte);
    return !other;
}

static bool zones_intact(const struct kmem_cache *c, void *p, vaddr_t caller)
{
    if (!(c->flags & SLAB_RED_ZONE))
        return true;
    assert(c->zone > 0 && c->stride >= c->size + c->zone);
    bool before = is_intact(c, p, zone_before(c, p), ZONE_BYTE, caller);
    bool behind = is_intact(c, p, zone_behind(c, p), ZONE_BYTE, caller);
    return before && behind;
}

static bool poison_intact(const struct kmem_cache *c, void *p, vaddr_t caller)
{
    struct part object = {p, c->size};
    return !(c->flags & SLAB_POISON) ||
           is_intact(c, p, object, FREE_BYTE, caller);
}

static void fill_object(const struct kmem_cache *c, void *p, uint8_t byte)
{
    if (c->flags & SLAB_POISON)
        fill((struct part){p, c->size}, byte);
}

static void fill_zones(const struct kmem_cache *c, void *p)
{
    if (c->flags & SLAB_RED_ZONE) {
        fill(zone_before(c, p), ZONE_BYTE);
        fill(zone_behind(c, p), ZONE_BYTE);
    }
}

void debug_make(const struct kmem_cache *c, void *p)
{
    fill_zones(c, p);
    fill_object(c, p, FREE_BYTE);
}

void debug_take(const struct kmem_cache *c, void *p, vaddr_t caller)
{
    poison_intact(c, p, caller);
    fill_object(c, p, FRESH_BYTE);
}

void debug_give(const struct kmem_cache *c, void *p, vaddr_t caller)
{
    if (!zones_intact(c, p, caller))
        fill_zones(c, p);
    fill_object(c, p, FREE_BYTE);
}

const char *debug_check(const struct kmem_cache *c, void *p, bool live)
{
    if (!zones_intact(c, p, 0))
        return "slab: a red zone was written to";
    if (!live && !poison_intact(c, p, 0))
        return "slab: a free object was written to";
    return NULL;
}
