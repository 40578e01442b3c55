/* A bitmap alone is slow in two places: looking for the few free units of a
 * nearly full memory, and looking for a long run in a fragmented one. Units are
 * therefore counted in groups, the size of one large page, and each group is in
 * one of three states: none free, some free (set `partly`), all free (set
 * `wholly`). Sets find their next member in a few word reads, so full groups
 * cost nothing, and whole ones are known without a look at the bitmap.
 *
 * Single units and short runs come out of partly used groups first: that keeps
 * the others whole for large pages. What this does not solve: a long run that
 * begins or ends inside a partly used group is found by walking the bitmap from
 * one taken unit to the next.
 */
#include "mm/freemap.h"

#include <oct/assert.h>
#include <oct/string.h>

static size_t group_size(const struct freemap *f)
{
    return (size_t)1 << f->group_shift;
}

static size_t group_of(const struct freemap *f, size_t unit)
{
    return unit >> f->group_shift;
}

static size_t group_count(const struct freemap *f)
{
    return f->units >> f->group_shift;
}

static size_t round_to_words(size_t bytes)
{
    return round_up(bytes, sizeof(unsigned long));
}

size_t freemap_bytes(size_t units, unsigned group_shift)
{
    size_t groups = units >> group_shift;
    return round_to_words(units / 8) +
           round_to_words(groups * sizeof(uint16_t)) + 2 * bitset_bytes(groups);
}

void freemap_init(struct freemap *f, void *storage, uint64_t base, size_t units,
                  unsigned group_shift)
{
    assert(group_shift >= 5 && group_shift <= 15);
    assert(((size_t)1 << group_shift) % WORD_BITS == 0);
    assert(units > 0 && is_aligned(units | base, 1ull << group_shift));
    size_t groups = units >> group_shift;
    char *at = storage;
    *f = (struct freemap){
        .units = units, .base = base, .group_shift = group_shift};
    f->taken = (unsigned long *)storage;
    memset(f->taken, 0xff, units / 8);
    at += round_to_words(units / 8);
    f->group_free = (uint16_t *)(void *)at;
    memset(f->group_free, 0, groups * sizeof(uint16_t));
    at += round_to_words(groups * sizeof(uint16_t));
    bitset_init(&f->partly, at, groups);
    bitset_init(&f->wholly, at + bitset_bytes(groups), groups);
}

/* The bits of [first, first + n) that lie in first's word. */
static unsigned long mask_in_word(size_t first, size_t n)
{
    size_t shift = first % WORD_BITS;
    unsigned long ones = n >= WORD_BITS ? ~0ul : (1ul << n) - 1;
    return ones << shift;
}

static size_t left_in_word(size_t first, size_t n)
{
    return min_size(n, WORD_BITS - first % WORD_BITS);
}

bool freemap_all_free(const struct freemap *f, size_t first, size_t n)
{
    assert(first <= f->units && n <= f->units - first);
    for (size_t step; n > 0; first += step, n -= step) {
        step = left_in_word(first, n);
        if (f->taken[first / WORD_BITS] & mask_in_word(first, step))
            return false;
    }
    return true;
}

bool freemap_all_taken(const struct freemap *f, size_t first, size_t n)
{
    assert(first <= f->units && n <= f->units - first);
    for (size_t step; n > 0; first += step, n -= step) {
        step = left_in_word(first, n);
        if (~f->taken[first / WORD_BITS] & mask_in_word(first, step))
            return false;
    }
    return true;
}

enum group_state { FULL, PARTLY, WHOLLY };

static enum group_state state_of(const struct freemap *f, size_t free)
{
    return free == 0 ? FULL : free == group_size(f) ? WHOLLY : PARTLY;
}

static void set_group_free(struct freemap *f, size_t group, size_t free)
{
    assert(group < group_count(f) && free <= group_size(f));
    enum group_state before = state_of(f, f->group_free[group]);
    enum group_state after = state_of(f, free);
    f->group_free[group] = (uint16_t)free;
    if (before == after)
        return;
    if (before != FULL)
        bitset_remove(before == PARTLY ? &f->partly : &f->wholly, group);
    if (after != FULL)
        bitset_add(after == PARTLY ? &f->partly : &f->wholly, group);
}

/* Flips units that are all in the same state, word by word: a word lies within
 * one group. */
static void flip(struct freemap *f, size_t first, size_t n, bool give)
{
    f->free += give ? n : -n;
    for (size_t step; n > 0; first += step, n -= step) {
        size_t group = group_of(f, first), free = f->group_free[group];
        step = left_in_word(first, n);
        f->taken[first / WORD_BITS] ^= mask_in_word(first, step);
        set_group_free(f, group, give ? free + step : free - step);
    }
}

void freemap_give(struct freemap *f, size_t first, size_t n)
{
    assert(freemap_all_taken(f, first, n));
    flip(f, first, n, true);
}

void freemap_take(struct freemap *f, size_t first, size_t n)
{
    assert(freemap_all_free(f, first, n));
    flip(f, first, n, false);
}

/* The first group at or after `group` that has a free unit. */
static size_t next_group(const struct freemap *f, size_t group)
{
    size_t partly = bitset_next(&f->partly, group);
    size_t wholly = bitset_next(&f->wholly, group);
    return min_size(partly, wholly); /* NONE is the largest number */
}

/* The first free unit at or after i, or FREEMAP_NONE. */
static size_t next_free(const struct freemap *f, size_t i)
{
    assert(i < f->units);
    while (i < f->units) {
        size_t group = next_group(f, group_of(f, i));
        if (group == BITSET_NONE)
            return FREEMAP_NONE;
        i = max_size(i, group << f->group_shift);
        size_t end = (group + 1) << f->group_shift;
        while (i < end) {
            unsigned long free = ~f->taken[i / WORD_BITS] >> i % WORD_BITS;
            if (free)
                return i + (size_t)__builtin_ctzl(free);
            i = round_down(i, WORD_BITS) + WORD_BITS;
        }
    }
    return FREEMAP_NONE;
}

/* The last taken unit in [first, end), or FREEMAP_NONE. */
static size_t last_taken(const struct freemap *f, size_t first, size_t end)
{
    assert(first < end && end <= f->units);
    while (end > first) {
        size_t group_start = round_down(end - 1, group_size(f));
        size_t from = max_size(first, round_down(end - 1, WORD_BITS));
        if (f->group_free[group_of(f, end - 1)] == group_size(f)) {
            end = group_start;
            continue;
        }
        unsigned long taken =
            f->taken[from / WORD_BITS] & mask_in_word(from, end - from);
        if (taken)
            return round_down(from, WORD_BITS) + WORD_BITS - 1 -
                   (size_t)__builtin_clzl(taken);
        end = from;
    }
    return FREEMAP_NONE;
}

/* A run within [i, end). A candidate is given up at its last taken unit, so
 * every step gets past at least one. */
static size_t find_between(const struct freemap *f, size_t i, size_t end,
                           size_t n, size_t align)
{
    while (i < end && (i = next_free(f, i)) < end) {
        i = round_up(f->base + i, align) - f->base;
        if (i >= end || n > end - i)
            break;
        size_t taken = last_taken(f, i, i + n);
        if (taken == FREEMAP_NONE)
            return i;
        i = taken + 1;
    }
    return FREEMAP_NONE;
}

static size_t find_in_partly(const struct freemap *f, size_t n, size_t align,
                             size_t end)
{
    size_t g = bitset_next(&f->partly, 0);
    for (; g != BITSET_NONE; g = bitset_next(&f->partly, g + 1)) {
        size_t start = g << f->group_shift;
        if (start >= end)
            break;
        if (f->group_free[g] < n)
            continue;
        size_t stop = min_size(start + group_size(f), end);
        size_t found = find_between(f, start, stop, n, align);
        if (found != FREEMAP_NONE)
            return found;
    }
    return FREEMAP_NONE;
}

/* A single unit needs no run: the first free one of a partly used group, or
 * else of a whole one. */
static size_t find_one(const struct freemap *f, size_t end)
{
    size_t g = bitset_next(&f->partly, 0);
    if (g == BITSET_NONE)
        g = bitset_next(&f->wholly, 0);
    if (g == BITSET_NONE)
        return FREEMAP_NONE;
    const unsigned long *word = &f->taken[(g << f->group_shift) / WORD_BITS];
    while (~*word == 0)
        word++;
    size_t unit =
        (size_t)(word - f->taken) * WORD_BITS + (size_t)__builtin_ctzl(~*word);
    return unit < end ? unit : FREEMAP_NONE;
}

static size_t find_in_wholly(const struct freemap *f, size_t n, size_t end)
{
    size_t g = bitset_next(&f->wholly, 0);
    bool fits = g != BITSET_NONE && (g << f->group_shift) + n <= end;
    return fits ? g << f->group_shift : FREEMAP_NONE;
}

size_t freemap_find(const struct freemap *f, size_t n, size_t align, size_t end)
{
    assert(n > 0 && is_power_of_two(align));
    size_t found = FREEMAP_NONE;
    end = min_size(end, f->units);
    if (n > f->free || n > end)
        return FREEMAP_NONE;
    if (n == 1 && align == 1)
        found = find_one(f, end);
    else if (n <= group_size(f) && align <= group_size(f))
        found = find_in_partly(f, n, align, end);
    if (found == FREEMAP_NONE && n <= group_size(f) && align <= group_size(f))
        found = find_in_wholly(f, n, end);
    if (found == FREEMAP_NONE)
        found = find_between(f, 0, end, n, align);
    return found;
}

const char *freemap_check(const struct freemap *f)
{
    size_t total = 0, whole = group_size(f);
    for (size_t g = 0; g < group_count(f); g++) {
        size_t free = 0, words = whole / WORD_BITS;
        for (size_t w = 0; w < words; w++)
            free += (size_t)__builtin_popcountl(~f->taken[g * words + w]);
        total += free;
        if (f->group_free[g] != free)
            return "freemap: a group's count is not its bitmap's";
        if (bitset_has(&f->partly, g) != (free > 0 && free < whole))
            return "freemap: the set of partly used groups is wrong";
        if (bitset_has(&f->wholly, g) != (free == whole))
            return "freemap: the set of whole groups is wrong";
    }
    if (total != f->free)
        return "freemap: the count is not the bitmap's";
    if (!bitset_check(&f->partly) || !bitset_check(&f->wholly))
        return "freemap: the upper level of a set is wrong";
    return NULL;
}
