/* Finding a run in a freemap. Candidates are groups whose longest run is long
 * enough, and borders across which one lies; the first is good unless there are
 * wishes for alignment or an end. */
#include "mm/freemap_words.h"

#include <oct/assert.h>

/* Aligned runs are tried for in this many of the best candidates, before the
 * choice is one in which there must be one. */
#define TRIES 8

/* The first run of n units in a group. */
static size_t find_run(const struct freemap *f, size_t group, size_t n)
{
    size_t run = 0, start = group_start(f, group);
    assert(n > 0 && n <= group_size(f));
    for (size_t i = start; i < start + group_size(f); i += WORD_BITS) {
        unsigned long free = free_word(f, i);
        if (free == 0) {
            run = 0;
            continue;
        }
        size_t low = free == ~0ul ? WORD_BITS : ones_low(free);
        if (run + low >= n)
            return i - run;
        run = free == ~0ul ? run + WORD_BITS : ones_high(free);
        free = n < WORD_BITS ? runs_in_word(free, n) : 0;
        if (free)
            return i + (size_t)__builtin_ctzl(free);
    }
    return run >= n ? start + group_size(f) - run : FREEMAP_NONE;
}

/* The next free unit of the group at or after i, or the group's end. */
static size_t next_free(const struct freemap *f, size_t i, size_t end)
{
    while (i < end) {
        unsigned long free = free_word(f, i) >> i % WORD_BITS;
        if (free)
            return i + (size_t)__builtin_ctzl(free);
        i = (i | (WORD_BITS - 1)) + 1;
    }
    return end;
}

/* Goes from run to run. */
static size_t find_wish(const struct freemap *f, size_t group,
                        const struct freemap_wish *w)
{
    size_t i = group_start(f, group), end = group_start(f, group + 1);
    while ((i = next_free(f, i, end)) < end) {
        size_t stop = i + free_from(f, i);
        size_t found = place_in(f, w, i, stop);
        if (found != FREEMAP_NONE)
            return found;
        i = stop;
    }
    return FREEMAP_NONE;
}

/* As find_wish, if no such run lies in two words: in each, all places at
 * once. */
static size_t find_block(const struct freemap *f, size_t group, size_t size)
{
    assert(is_power_of_two(size) && size <= WORD_BITS);
    unsigned long places = ~0ul / mask_to(size);
    size_t start = group_start(f, group);
    for (size_t i = start; i < start + group_size(f); i += WORD_BITS) {
        unsigned long free = runs_in_word(free_word(f, i), size) & places;
        if (free)
            return i + (size_t)__builtin_ctzl(free);
    }
    return FREEMAP_NONE;
}

static size_t find_in_group(const struct freemap *f, size_t group,
                            const struct freemap_wish *w)
{
    size_t start = group_start(f, group), end = start + group_size(f);
    assert(end <= f->units && w->n > 0);
    if (f->group_free[group] == group_size(f))
        return place_in(f, w, start, end);
    if (f->group_free[group] < w->n)
        return FREEMAP_NONE;
    if (end > w->end)
        return find_wish(f, group, w);
    if (w->align == 1)
        return find_run(f, group, w->n);
    if (w->n == w->align && w->n <= WORD_BITS)
        return find_block(f, group, w->n);
    return find_wish(f, group, w);
}

/* A search was in vain: the bound was too high, or there is no such alignment,
 * or not below such an end. */
static void lower_after_search(struct freemap *f, size_t group,
                               const struct freemap_wish *w)
{
    bool plain = w->align == 1 && group_start(f, group + 1) <= w->end;
    size_t bound = plain ? w->n - 1 : longest_inside(f, group);
    ranks_set(&f->inside, group, min_size(bound, f->group_free[group]));
}

static size_t find_inside(struct freemap *f, const struct freemap_wish *w,
                          size_t length, size_t tries)
{
    size_t g = ranks_first(&f->inside, length), found = FREEMAP_NONE;
    for (; g != RANK_NONE && tries > 0; tries--) {
        found = find_in_group(f, g, w);
        if (found != FREEMAP_NONE)
            break;
        size_t next = ranks_after(&f->inside, length, g);
        lower_after_search(f, g, w);
        g = next;
    }
    return found;
}

static size_t find_across(struct freemap *f, const struct freemap_wish *w)
{
    size_t g = ranks_first(&f->across, w->n), found = FREEMAP_NONE;
    while (g != RANK_NONE) {
        size_t border = group_start(f, g), length = length_across(f, g);
        size_t from = border - free_before(f, border);
        found = place_in(f, w, from, from + length);
        if (found != FREEMAP_NONE)
            break;
        size_t next = ranks_after(&f->across, w->n, g);
        ranks_set(&f->across, g, length);
        g = next;
    }
    return found;
}

/* The free run that the whole groups from `group` on are part of: its start,
 * and in *to its end, or one that is far enough. */
static size_t run_of_groups(const struct freemap *f, size_t group,
                            const struct freemap_wish *w, size_t *to)
{
    size_t from = group_start(f, group), last = group;
    assert(f->inside.length[group] == group_size(f));
    from -= group > 0 ? free_before(f, from) : 0;
    while (last + 1 < group_count(f) &&
           f->inside.length[last + 1] == group_size(f) &&
           group_start(f, last + 1) - from < w->n + (w->align - 1))
        last++;
    *to = group_start(f, last + 1);
    if (last + 1 < group_count(f))
        *to += free_from(f, *to);
    return from;
}

/* More than a group's size, and so with a group that is whole, or else across
 * one border. */
static size_t find_long(struct freemap *f, const struct freemap_wish *w)
{
    const struct bitset *whole = &f->inside.class[f->group_shift + 1];
    size_t g = bitset_next(whole, 0), to, found = FREEMAP_NONE;
    while (g != BITSET_NONE && found == FREEMAP_NONE) {
        size_t from = run_of_groups(f, g, w, &to);
        found = place_in(f, w, from, to);
        g = group_of(f, to) < group_count(f)
                ? bitset_next(whole, group_of(f, to))
                : BITSET_NONE;
    }
    return found == FREEMAP_NONE ? find_across(f, w) : found;
}

/* Often what was given last is asked for again. It is a good choice if less is
 * left of it than was asked for, and no whole group is broken. */
static size_t find_recent(const struct freemap *f, const struct freemap_wish *w)
{
    size_t length = f->recent_end - f->recent, size = group_size(f);
    bool good = length < 2 * w->n && (length < size || w->n == size);
    return good ? place_in(f, w, f->recent, f->recent_end) : FREEMAP_NONE;
}

/* What is no longer than its alignment never lies across a border. */
static size_t find_short(struct freemap *f, const struct freemap_wish *w)
{
    size_t size = group_size(f), sure = w->n + w->align - 1;
    size_t found = find_inside(f, w, w->n, TRIES);
    if (found == FREEMAP_NONE && sure <= size)
        found = find_inside(f, w, sure, TRIES);
    if (found == FREEMAP_NONE)
        found = find_inside(f, w, w->n, FREEMAP_NONE);
    return found == FREEMAP_NONE && w->n > w->align ? find_across(f, w) : found;
}

size_t freemap_find(struct freemap *f, size_t n, size_t align, size_t end)
{
    const struct freemap_wish w = {n, align, min_size(end, f->units)};
    assert(n > 0 && is_power_of_two(align));
    size_t found = find_recent(f, &w);
    if (found != FREEMAP_NONE)
        return found;
    if (n > f->free || n > w.end || (n >= f->none.n && align >= f->none.align))
        return FREEMAP_NONE;
    found = n <= group_size(f) ? find_short(f, &w) : find_long(f, &w);
    if (found == FREEMAP_NONE && w.end == f->units)
        f->none = w;
    return found;
}
