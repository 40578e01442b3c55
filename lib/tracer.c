/* Addresses to slots: a table with linear probing, kept half empty, in which a
 * removed entry is filled by one that was pushed past it. */
#include <oct/assert.h>
#include <oct/string.h>
#include <oct/tracer.h>

struct tracer_entry {
    uintptr_t p;   /* 0: empty */
    uint32_t slot; /* | MOVED */
};

/* The object is elsewhere by now, and another has its address. */
#define MOVED 0x80000000u
_Static_assert(!(TRACE_SLOTS_MAX & MOVED), "slots leave the bit alone");

size_t tracer_bytes(size_t entries)
{
    return entries * sizeof(struct tracer_entry) +
           entries / 2 * sizeof(uint32_t);
}

size_t tracer_entries(size_t bytes)
{
    size_t entries = 2;
    while (entries <= TRACE_SLOTS_MAX / 2 && tracer_bytes(2 * entries) <= bytes)
        entries *= 2;
    return entries;
}

bool tracer_is_full(const struct tracer *t)
{
    return t->live >= t->entries / 2;
}

static size_t home(const struct tracer *t, uintptr_t p)
{
    uint32_t mixed = (uint32_t)(p >> 4 ^ (uint64_t)p >> 32) * 2654435761u;
    return (mixed ^ mixed >> 15) & (t->entries - 1);
}

static struct tracer_entry *find(const struct tracer *t, const void *p,
                                 uint32_t moved)
{
    size_t i = home(t, (uintptr_t)p);
    for (; t->table[i].p; i = (i + 1) & (t->entries - 1))
        if (t->table[i].p == (uintptr_t)p &&
            (t->table[i].slot & MOVED) == moved)
            return &t->table[i];
    return NULL;
}

static void insert(struct tracer *t, uintptr_t p, uint32_t slot)
{
    size_t i = home(t, p);
    assert(!tracer_is_full(t));
    while (t->table[i].p)
        i = (i + 1) & (t->entries - 1);
    t->table[i] = (struct tracer_entry){p, slot};
    t->live++;
}

static uint32_t remove(struct tracer *t, struct tracer_entry *e)
{
    const size_t mask = t->entries - 1;
    size_t hole = (size_t)(e - t->table), i = hole;
    uint32_t slot = e->slot & ~MOVED;
    while (t->table[i = (i + 1) & mask].p) {
        size_t wanted = home(t, t->table[i].p);
        if (((i - wanted) & mask) >= ((i - hole) & mask)) {
            t->table[hole] = t->table[i];
            hole = i;
        }
    }
    t->table[hole].p = 0;
    t->live--;
    return slot;
}

void tracer_move(struct tracer *t, void *memory, size_t entries)
{
    const struct tracer_entry *old = t->table;
    size_t old_entries = t->entries;
    const uint32_t *old_free = t->free;
    assert(is_power_of_two(entries) && entries / 2 > t->live);
    t->table = memory;
    t->entries = entries;
    t->free = (uint32_t *)(t->table + entries);
    t->live = 0;
    for (size_t i = 0; i < old_entries; i++)
        if (old[i].p)
            insert(t, old[i].p, old[i].slot);
    if (t->free_count)
        memcpy(t->free, old_free, t->free_count * sizeof(*t->free));
}

static void write_event(struct tracer *t, enum trace_op op, uint32_t thread,
                        uint32_t slot, uint64_t size, uint64_t align)
{
    struct trace_event e = {
        .op = op, .slot = slot, .thread = thread, .size = size};
    while (align >> e.align_log > 1)
        e.align_log++;
    trace_write(&t->writer, &e);
}

static void place(struct tracer *t, const void *p, uint32_t slot)
{
    struct tracer_entry *other = find(t, p, 0);
    if (other)
        other->slot |= MOVED;
    insert(t, (uintptr_t)p, slot);
}

void tracer_event(struct tracer *t, uint32_t thread, const void *old,
                  const void *p, uint64_t size, uint64_t align)
{
    struct tracer_entry *known = NULL;
    if (old && p)
        known = find(t, old, MOVED);
    if (old && !known)
        known = find(t, old, 0);
    if (!p && !known)
        return;
    uint32_t slot = known           ? remove(t, known)
                    : t->free_count ? t->free[--t->free_count]
                                    : t->slots++;
    if (p)
        place(t, p, slot);
    else
        t->free[t->free_count++] = slot;
    write_event(t,
                !p      ? TRACE_FREE
                : known ? TRACE_RESIZE
                        : TRACE_ALLOC,
                thread, slot, size, align);
}
