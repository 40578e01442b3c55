/* That a place of class c is 2^(c-1) long is known without a look, but a length
 * in between has to be looked for among the members of its class. What
 * that finds out, if it is nothing, is remembered until a longer one comes in,
 * so asking again costs nothing. */
#include "mm/freemap_ranks.h"

#include <oct/assert.h>

/* How many bits its number has: looked up, for lengths are small and not every
 * CPU can count. */
static unsigned class_of(size_t length)
{
    static const uint8_t bits[64] = {
        0, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5,
        5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,
        6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6};
    assert(length < 1u << (RANK_CLASSES - 1));
    return length < 64 ? bits[length] : 6u + bits[length / 64];
}

size_t ranks_bytes(size_t size, size_t longest)
{
    return (size_t)round_up(size * sizeof(uint16_t), sizeof(unsigned long)) +
           class_of(longest) * bitset_bytes(size);
}

void ranks_init(struct ranks *r, void *zeroed, size_t size, size_t longest,
                bool full)
{
    unsigned top = class_of(longest);
    assert(top < RANK_CLASSES);
    *r = (struct ranks){.length = zeroed};
    char *at = (char *)zeroed +
               round_up(size * sizeof(uint16_t), sizeof(unsigned long));
    for (unsigned c = 1; c <= top; c++, at += bitset_bytes(size))
        bitset_init_zeroed(&r->class[c], at, size);
    if (!full)
        return;
    for (size_t i = 0; i < size; i++)
        r->length[i] = (uint16_t)longest;
    bitset_fill(&r->class[top]);
    r->classes = 1u << top;
    r->none_from[top] = (uint16_t)(longest + 1);
}

static void add(struct ranks *r, size_t place, unsigned class)
{
    assert(class > 0 && class < RANK_CLASSES);
    bitset_add(&r->class[class], place);
    r->classes |= 1u << class;
}

static void remove(struct ranks *r, size_t place, unsigned class)
{
    assert(bitset_has(&r->class[class], place));
    bitset_remove(&r->class[class], place);
    if (bitset_empty(&r->class[class])) {
        r->classes &= ~(1u << class);
        r->none_from[class] = 0;
    }
}

__attribute__((noinline)) static void move(struct ranks *r, size_t place,
                                           unsigned from, unsigned to)
{
    if (from)
        remove(r, place, from);
    if (to)
        add(r, place, to);
}

void ranks_set(struct ranks *r, size_t place, size_t length)
{
    unsigned from = class_of(r->length[place]), to = class_of(length);
    r->length[place] = (uint16_t)length;
    if (from != to)
        move(r, place, from, to);
    if (r->none_from[to] <= length)
        r->none_from[to] = (uint16_t)(length + 1);
}

/* A member of the class, from number `from` on, that is long enough. */
static size_t in_class(const struct ranks *r, unsigned class, size_t length,
                       size_t from)
{
    size_t i = bitset_next(&r->class[class], from);
    while (i != RANK_NONE && r->length[i] < length)
        i = bitset_next(&r->class[class], i + 1);
    return i;
}

/* All members of the classes above are long enough. */
static size_t above_class(const struct ranks *r, unsigned class)
{
    uint32_t above = r->classes >> class >> 1;
    return above ? bitset_first(
                       &r->class[class + 1 + (unsigned)__builtin_ctz(above)])
                 : RANK_NONE;
}

size_t ranks_first(struct ranks *r, size_t length)
{
    if (length >> (RANK_CLASSES - 1))
        return RANK_NONE;
    unsigned class = class_of(length);
    if (length < r->none_from[class]) {
        size_t i = in_class(r, class, length, 0);
        if (i != RANK_NONE)
            return i;
        r->none_from[class] = (uint16_t)length;
    }
    return above_class(r, class);
}

size_t ranks_after(const struct ranks *r, size_t length, size_t place)
{
    unsigned class = class_of(r->length[place]);
    size_t i = in_class(r, class, length, place + 1);
    return i != RANK_NONE ? i : above_class(r, class);
}

bool ranks_check(const struct ranks *r, size_t size)
{
    size_t members[RANK_CLASSES] = {0};
    for (size_t i = 0; i < size; i++) {
        if (r->length[i] == 0)
            continue;
        unsigned class = class_of(r->length[i]);
        members[class]++;
        if (!bitset_has(&r->class[class], i) ||
            r->length[i] >= r->none_from[class])
            return false;
    }
    for (unsigned c = 1; c < RANK_CLASSES; c++) {
        size_t in_set = 0;
        const struct bitset *s = &r->class[c];
        if (s->levels == 0)
            continue;
        for (size_t i = bitset_next(s, 0); i != BITSET_NONE;
             i = bitset_next(s, i + 1))
            in_set++;
        if (in_set != members[c] || !bitset_check(s) ||
            (r->classes >> c & 1) != (in_set > 0))
            return false;
    }
    return true;
}
