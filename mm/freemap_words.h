/* What freemap.c and freemap_find.c share: groups, and runs within words. */
#pragma once

#include "mm/freemap.h"

static inline size_t group_size(const struct freemap *f)
{
    return (size_t)1 << f->group_shift;
}

static inline size_t group_of(const struct freemap *f, size_t unit)
{
    return unit >> f->group_shift;
}

static inline size_t group_start(const struct freemap *f, size_t group)
{
    return group << f->group_shift;
}

static inline size_t group_count(const struct freemap *f)
{
    return f->units >> f->group_shift;
}

/* The units of the word that `unit` is in, free ones as 1. */
static inline unsigned long free_word(const struct freemap *f, size_t unit)
{
    return ~f->taken[unit / WORD_BITS];
}

/* Of the word that a row of units begins in, those that are in the row; and of
 * the word that it ends in, before `end`. */
static inline unsigned long mask_from(size_t first)
{
    return ~0ul << first % WORD_BITS;
}

static inline unsigned long mask_to(size_t end)
{
    return ~0ul >> -end % WORD_BITS;
}

/* Ones at the low, and at the high end of a word that is not all ones. (Not
 * every CPU can count them by itself, and most often there are none.) */
static inline size_t ones_low(unsigned long word)
{
    return word & 1 ? (size_t)__builtin_ctzl(~word) : 0;
}

static inline size_t ones_high(unsigned long word)
{
    return word >> (WORD_BITS - 1) ? (size_t)__builtin_clzl(~word) : 0;
}

/* The bits at which runs of n ones begin, 1 <= n <= WORD_BITS: each step tells
 * of runs twice as long. */
static inline unsigned long runs_in_word(unsigned long word, size_t n)
{
    size_t known = 1;
    for (; 2 * known <= n; known *= 2)
        word &= word >> known;
    return word & word >> (n - known);
}

/* Where in the free run [from, to) the wish comes true. */
static inline size_t place_in(const struct freemap *f,
                              const struct freemap_wish *w, size_t from,
                              size_t to)
{
    to = min_size(to, w->end);
    from = (size_t)(round_up(f->base + from, w->align) - f->base);
    return from < to && w->n <= to - from ? from : FREEMAP_NONE;
}

/* Free units in a row from `unit` on, within its group; and before `unit`,
 * which is not its group's first, or is the end of the group before. Mostly
 * they end in the same word. */
size_t free_words_from(const struct freemap *f, size_t unit);
size_t free_words_before(const struct freemap *f, size_t unit);

static inline size_t free_from(const struct freemap *f, size_t unit)
{
    unsigned long taken = ~free_word(f, unit) >> unit % WORD_BITS;
    return taken ? ones_low(~taken) : free_words_from(f, unit);
}

static inline size_t free_before(const struct freemap *f, size_t unit)
{
    unsigned long taken = ~free_word(f, unit - 1) << -unit % WORD_BITS;
    return taken ? ones_high(~taken) : free_words_before(f, unit);
}

/* The exact lengths that f->inside and f->across bound. */
size_t longest_inside(const struct freemap *f, size_t group);
size_t length_across(const struct freemap *f, size_t group);
