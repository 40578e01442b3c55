/* A bitmap alone is slow in three places: looking for the few free units of a
 * nearly full memory, looking for a long run in a fragmented one, and finding
 * out that there is none. Units are therefore counted in groups, the size of
 * one large page, and of each group two lengths are known: that of the longest
 * free run within it, and that of the run across its start. By these lengths
 * the groups are ranked (freemap_ranks.h), so the answer to "where is a run of
 * n?" is a few words away. The two lengths are enough for runs up to a group's
 * size, since those lie within one group or across one border; longer ones
 * contain a group that is all free, unless they too lie across one border.
 *
 * Giving units makes runs longer: the new one begins and ends at the nearest
 * taken units. Taking makes them shorter, and by how much is not looked at: the
 * lengths are bounds, never too small, and become exact where a search has been
 * in vain. Each of those is paid for by units that were given before, but one
 * search may meet many. Two things are remembered: the run that units were
 * given to last, since often the same is asked for again, and a wish that
 * cannot come true, until a run is made that is long enough.
 *
 * The lowest rank that will do goes first. Single units come out of one group
 * until it is full, and then out of the next one that is used most: so groups
 * fill up one after the other, and what is freed in the rest makes those whole.
 * Whoever keeps units for himself on the way asks freemap_is_well_placed which
 * ones; without that, groups never become whole under frames_cache.c.
 *
 * Not solved: an aligned run may not be there though there are long enough
 * ones. That is found out by trying them all. */
#include "mm/freemap_words.h"

#include <oct/assert.h>
#include <oct/string.h>

#define CANDIDATES 16 /* groups to choose from when one is to be filled */

/* A group with no more than this part of it free is used well. */
#define GOOD_SHARE 64

static size_t bitmap_bytes(size_t units)
{
    return (size_t)round_up(units / 8, sizeof(unsigned long));
}

static size_t count_bytes(size_t groups)
{
    return (size_t)round_up(groups * sizeof(uint16_t), sizeof(unsigned long));
}

size_t freemap_bytes(size_t units, unsigned group_shift)
{
    size_t groups = units >> group_shift, size = (size_t)1 << group_shift;
    return bitmap_bytes(units) + count_bytes(groups) +
           ranks_bytes(groups, size) + ranks_bytes(groups, 2 * size);
}

static void lay_out(struct freemap *f, char *zeroed, bool free)
{
    size_t groups = group_count(f), size = group_size(f);
    assert(f->group_shift >= 5 && f->group_shift <= 10);
    assert(size % WORD_BITS == 0 && groups > 0);
    assert(is_aligned(f->units | f->base, size));
    f->taken = (unsigned long *)(void *)zeroed;
    zeroed += bitmap_bytes(f->units);
    f->group_free = (uint16_t *)(void *)zeroed;
    zeroed += count_bytes(groups);
    ranks_init(&f->inside, zeroed, groups, size, free);
    zeroed += ranks_bytes(groups, size);
    ranks_init(&f->across, zeroed, groups, 2 * size, free);
    f->none.n = FREEMAP_NONE;
    f->good_free = (uint16_t)size;
    if (!free)
        return;
    ranks_set(&f->across, 0, 0);
    f->free = f->units;
    for (size_t g = 0; g < groups; g++)
        f->group_free[g] = (uint16_t)size;
}

void freemap_init(struct freemap *f, void *storage, uint64_t base, size_t units,
                  unsigned group_shift)
{
    *f = (struct freemap){
        .units = units, .base = base, .group_shift = group_shift};
    memset(storage, 0, freemap_bytes(units, group_shift));
    lay_out(f, storage, false);
    memset(f->taken, 0xff, units / 8);
}

void freemap_init_free(struct freemap *f, void *zeroed, uint64_t base,
                       size_t units, unsigned group_shift)
{
    *f = (struct freemap){
        .units = units, .base = base, .group_shift = group_shift};
    lay_out(f, zeroed, true);
}

/* Units first..first+n-1 are taken (~0ul), or free (0). */
static bool all_are(const struct freemap *f, unsigned long how, size_t first,
                    size_t n)
{
    assert(first <= f->units && n <= f->units - first);
    if (n == 0)
        return true;
    size_t i = first / WORD_BITS, last = (first + n - 1) / WORD_BITS;
    unsigned long mask = mask_from(first);
    for (; i < last; i++, mask = ~0ul)
        if ((f->taken[i] ^ how) & mask)
            return false;
    return ((f->taken[i] ^ how) & mask & mask_to(first + n)) == 0;
}

bool freemap_all_free(const struct freemap *f, size_t first, size_t n)
{
    return all_are(f, 0, first, n);
}

bool freemap_all_taken(const struct freemap *f, size_t first, size_t n)
{
    return all_are(f, ~0ul, first, n);
}

/* --- what is known about a group --- */

size_t free_words_from(const struct freemap *f, size_t unit)
{
    size_t n = WORD_BITS - unit % WORD_BITS;
    size_t room = group_start(f, group_of(f, unit) + 1) - unit;
    for (; n < room; n += WORD_BITS) {
        unsigned long free = free_word(f, unit + n);
        if (free != ~0ul)
            return n + ones_low(free);
    }
    return room;
}

size_t free_words_before(const struct freemap *f, size_t unit)
{
    size_t last = unit - 1, n = last % WORD_BITS + 1;
    size_t room = unit - group_start(f, group_of(f, last));
    for (; n < room; n += WORD_BITS) {
        unsigned long free = free_word(f, last - n);
        if (free != ~0ul)
            return n + ones_high(free);
    }
    return room;
}

/* The longest run of the word, or `longest` if that is no less. */
static size_t longest_in_word(unsigned long word, size_t longest)
{
    if (word && longest < WORD_BITS)
        for (word = runs_in_word(word, longest + 1); word; word &= word >> 1)
            longest++;
    return longest;
}

/* Runs at the ends of words are counted as they go on; of what is between only
 * what is longer than the longest so far. */
size_t longest_inside(const struct freemap *f, size_t group)
{
    size_t longest = 0, run = 0, start = group_start(f, group);
    for (size_t i = start; i < start + group_size(f); i += WORD_BITS) {
        unsigned long free = free_word(f, i);
        if (free == ~0ul) {
            run += WORD_BITS;
            continue;
        }
        longest = max_size(longest, run + ones_low(free));
        run = 0;
        if (free == 0)
            continue;
        run = ones_high(free);
        longest = longest_in_word(free & (free + 1) & ~0ul >> run, longest);
    }
    return max_size(longest, run);
}

/* 0: none lies across. */
size_t length_across(const struct freemap *f, size_t group)
{
    size_t start = group_start(f, group);
    size_t left = free_before(f, start), right = free_from(f, start);
    return left > 0 && right > 0 ? left + right : 0;
}

/* A run of this length was made in a group, or across a border. (Longer ones
 * than a group cross one so that more than a group's size lies beside it.) */
static void made_run(struct freemap *f, size_t length)
{
    if (length >= min_size(f->none.n, group_size(f) + 1))
        f->none.n = FREEMAP_NONE;
}

/* The run that was made goes up to a group's start, and may go on beyond. */
static void join(struct freemap *f, size_t group, size_t length, size_t beyond)
{
    if (beyond == 0)
        return;
    made_run(f, length + beyond);
    if (length + beyond > f->across.length[group])
        ranks_set(&f->across, group, length + beyond);
}

/* --- changing --- */

static void count(struct freemap *f, size_t group, size_t free)
{
    __atomic_store_n(&f->group_free[group], (uint16_t)free, __ATOMIC_RELAXED);
}

static inline void flip_word(unsigned long *word, unsigned long mask,
                             unsigned long before)
{
    assert(((*word ^ before) & mask) == 0);
    *word ^= mask;
}

/* The units are all taken (~0ul), or all free (0), and are so no more. */
static inline void flip(struct freemap *f, unsigned long before, size_t first,
                        size_t n)
{
    size_t i = first / WORD_BITS, last = (first + n - 1) / WORD_BITS;
    unsigned long mask = mask_from(first);
    for (; i < last; i++, mask = ~0ul)
        flip_word(&f->taken[i], mask, before);
    flip_word(&f->taken[i], mask & mask_to(first + n), before);
}

static void give_in_group(struct freemap *f, size_t first, size_t n)
{
    size_t group = group_of(f, first), start = group_start(f, group);
    size_t end = start + group_size(f), from = first, to = first + n;
    from -= from > start ? free_before(f, from) : 0;
    to += to < end ? free_from(f, to) : 0;
    flip(f, ~0ul, first, n);
    count(f, group, f->group_free[group] + n);
    f->recent = from;
    f->recent_end = to;
    made_run(f, to - from);
    if (to - from > f->inside.length[group])
        ranks_set(&f->inside, group, to - from);
    if (from == start && start > 0)
        join(f, group, to - from, free_before(f, start));
    if (to == end && end < f->units)
        join(f, group + 1, to - from, free_from(f, end));
}

static void took(struct freemap *f, size_t group, size_t n)
{
    count(f, group, f->group_free[group] - n);
    if (group_of(f, f->recent) == group)
        f->recent_end = f->recent;
}

/* A group is no longer whole, or may be full. */
static void lower_bound(struct freemap *f, size_t group)
{
    if (f->inside.length[group] > f->group_free[group])
        ranks_set(&f->inside, group, f->group_free[group]);
}

static size_t left_in_group(const struct freemap *f, size_t first, size_t n)
{
    return min_size(n, group_start(f, group_of(f, first) + 1) - first);
}

void freemap_give(struct freemap *f, size_t first, size_t n)
{
    assert(first <= f->units && n <= f->units - first);
    f->free += n;
    for (size_t step; n > 0; first += step, n -= step) {
        step = left_in_group(f, first, n);
        give_in_group(f, first, step);
    }
}

void freemap_take(struct freemap *f, size_t first, size_t n)
{
    assert(first <= f->units && n <= f->units - first);
    f->free -= n;
    for (size_t step; n > 0; first += step, n -= step) {
        step = left_in_group(f, first, n);
        size_t group = group_of(f, first);
        flip(f, 0, first, step);
        took(f, group, step);
        if (f->inside.length[group] == group_size(f))
            lower_bound(f, group);
    }
}

/* Moves up to max ones of the word, as numbers from `base` on. */
static size_t move_ones(unsigned long *word, size_t base, size_t max,
                        size_t unit[])
{
    unsigned long ones = *word;
    size_t got = 0;
    for (; ones && got < max; ones &= ones - 1)
        unit[got++] = base + (size_t)__builtin_ctzl(ones);
    *word = ones;
    return got;
}

/* Where units beside the border were taken; so that when all are taken no
 * bounds are left that are in vain. */
static void lower_border(struct freemap *f, size_t group)
{
    if (group < group_count(f) && f->across.length[group])
        ranks_set(&f->across, group, length_across(f, group));
}

static size_t take_from_group(struct freemap *f, size_t group, size_t max,
                              size_t unit[])
{
    size_t got = 0, start = group_start(f, group);
    size_t end = start + group_size(f);
    for (size_t i = start; i < end && got < max; i += WORD_BITS) {
        unsigned long free = free_word(f, i);
        got += move_ones(&free, i, max - got, unit + got);
        f->taken[i / WORD_BITS] = ~free;
    }
    size_t left = f->group_free[group] - got;
    size_t good = max_size(left, group_size(f) / GOOD_SHARE);
    __atomic_store_n(&f->good_free, (uint16_t)good, __ATOMIC_RELAXED);
    took(f, group, got);
    lower_bound(f, group);
    lower_border(f, group);
    lower_border(f, group + 1);
    return got;
}

/* One group is filled up before there is another: of the best by rank, the one
 * that has the least to go. */
static size_t group_to_fill(struct freemap *f)
{
    size_t free = f->group_free[f->filling];
    if (free > 0 && free < group_size(f))
        return f->filling;
    size_t g = ranks_first(&f->inside, 1), best = RANK_NONE, next;
    for (unsigned n = 0; n < CANDIDATES && g != RANK_NONE; g = next) {
        next = ranks_after(&f->inside, 1, g);
        if (f->group_free[g] == 0) {
            lower_bound(f, g);
            continue;
        }
        n++;
        if (best == RANK_NONE || f->group_free[g] < f->group_free[best])
            best = g;
    }
    __atomic_store_n(&f->filling, best, __ATOMIC_RELAXED);
    return best;
}

size_t freemap_take_some(struct freemap *f, size_t max, size_t unit[])
{
    size_t got = 0;
    while (got < max && f->free > got) {
        size_t group = group_to_fill(f);
        assert(f->group_free[group] > 0);
        got += take_from_group(f, group, max - got, unit + got);
    }
    f->free -= got;
    return got;
}
