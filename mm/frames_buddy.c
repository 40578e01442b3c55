/* The frame manager with buddies. Free memory is kept in blocks of 2^order
 * frames, each aligned to its size in physical memory, on one list an order. A
 * request is served from the smallest block that holds it; what is left over
 * goes back as smaller blocks. Freeing joins a block with its buddy, the other
 * half of the block twice the size, as long as that is free and whole.
 *
 * The lists run through the free frames themselves, so they cost no memory; the
 * entry of a free block's first frame holds 1 + its order, so joining looks at
 * one entry and walks no list. Two kinds of request do walk: one with a limit
 * on addresses (a list, up to the first block below the limit), and one for
 * more than the largest block (the bank, in steps of the largest block).
 *
 * A frame that the direct map does not reach cannot hold links: banks of such
 * are the bitmap's, whatever the build picks.
 */
#include "mm/frames_banks.h"

#include <oct/assert.h>

#define MAX_ORDER PAGE_ALLOC_MAX_ORDER
#define MAX_UNITS ((size_t)1 << MAX_ORDER)

static struct list *links_of(const struct bank *b, size_t unit)
{
    return frames_view(b->owner, address_of(b, unit));
}

static size_t unit_of_links(const struct bank *b, const struct list *links)
{
    return unit_of(b, frames_address(b->owner, links));
}

static bool begins_block(const struct bank *b, size_t unit, unsigned order)
{
    struct frame f = frame_get(&b->frame[unit]);
    return f.kind == FRAME_FREE && f.value == order + 1;
}

static void insert(struct bank *b, size_t unit, unsigned order)
{
    assert(order <= MAX_ORDER && is_aligned(unit, (size_t)1 << order));
    frame_set(&b->frame[unit],
              (struct frame){.kind = FRAME_FREE, .value = order + 1});
    list_push(&b->free_lists[order], links_of(b, unit));
}

static void extract(struct bank *b, size_t unit)
{
    assert(b->frame[unit].value > 0);
    frame_set(&b->frame[unit], FRAME_NOBODYS);
    list_remove(links_of(b, unit));
}

/* The largest order of a block that begins at `first` and is within n units. */
static unsigned order_that_fits(size_t first, size_t n)
{
    unsigned order = 0;
    while (order < MAX_ORDER && is_aligned(first, (size_t)2 << order) &&
           ((size_t)2 << order) <= n)
        order++;
    return order;
}

static void give_block(struct bank *b, size_t unit, unsigned order)
{
    assert(lock_held(&b->owner->lock) && unit < b->units);
    for (; order < MAX_ORDER; order++) {
        size_t buddy = unit ^ ((size_t)1 << order);
        if (buddy >= b->units || !begins_block(b, buddy, order))
            break;
        extract(b, buddy);
        unit = unit < buddy ? unit : buddy;
    }
    insert(b, unit, order);
}

static void buddy_give(struct bank *b, size_t first, size_t n)
{
    while (n > 0) {
        unsigned order = order_that_fits(first, n);
        give_block(b, first, order);
        first += (size_t)1 << order;
        n -= (size_t)1 << order;
    }
}

/* Takes [first, first + n) out of the free block that begins at `unit`. */
static void carve(struct bank *b, size_t unit, unsigned order, size_t first,
                  size_t n)
{
    size_t end = unit + ((size_t)1 << order);
    assert(first >= unit && first + n <= end && n > 0);
    extract(b, unit);
    buddy_give(b, unit, first - unit);
    buddy_give(b, first + n, end - (first + n));
}

static bool is_below(const struct bank *b, const struct list *links, size_t n,
                     size_t end)
{
    return unit_of_links(b, links) + n <= end;
}

static size_t take_from_list(struct bank *b, unsigned order, size_t n,
                             size_t end)
{
    list_for_each (links, &b->free_lists[order])
        if (is_below(b, links, n, end)) {
            size_t unit = unit_of_links(b, links);
            carve(b, unit, order, unit, n);
            return unit;
        }
    return FREEMAP_NONE;
}

/* Free largest blocks in a row from `unit` on, n units of them or fewer. */
static size_t largest_in_a_row(const struct bank *b, size_t unit, size_t n)
{
    size_t got = 0;
    while (got < n && unit + got < b->units &&
           begins_block(b, unit + got, MAX_ORDER))
        got += MAX_UNITS;
    return got;
}

static size_t take_several(struct bank *b, size_t n, size_t align, size_t end)
{
    size_t unit = 0;
    while (n <= end && unit <= end - n) {
        size_t got = largest_in_a_row(b, unit, n);
        bool aligned = is_aligned((b->base >> PAGE_SHIFT) + unit, align);
        if (got >= n && aligned) {
            for (size_t i = 0; i < got; i += MAX_UNITS)
                extract(b, unit + i);
            buddy_give(b, unit + n, got - n);
            return unit;
        }
        unit += got && !aligned ? MAX_UNITS : got + MAX_UNITS;
    }
    return FREEMAP_NONE;
}

static size_t buddy_take(struct bank *b, size_t n, size_t align, size_t end)
{
    assert(n > 0 && is_power_of_two(align));
    size_t size = max_size(n, align);
    if (size > MAX_UNITS)
        return take_several(b, n, align, min_size(end, b->units));
    unsigned order = 0;
    while (((size_t)1 << order) < size)
        order++;
    for (; order <= MAX_ORDER; order++) {
        size_t unit = take_from_list(b, order, n, end);
        if (unit != FREEMAP_NONE)
            return unit;
    }
    return FREEMAP_NONE;
}

static size_t buddy_take_some(struct bank *b, size_t max, size_t unit[])
{
    size_t got = 0;
    while (got < max &&
           (unit[got] = buddy_take(b, 1, 1, b->units)) != FREEMAP_NONE)
        got++;
    return got;
}

/* The free block that holds `unit`: its first unit, and its order. */
static bool find_block(const struct bank *b, size_t unit, size_t *first,
                       unsigned *order)
{
    for (*order = 0; *order <= MAX_ORDER; ++*order) {
        *first = unit & ~(((size_t)1 << *order) - 1);
        if (begins_block(b, *first, *order))
            return true;
    }
    return false;
}

static bool buddy_take_at(struct bank *b, size_t first, size_t n)
{
    size_t unit = first, end = first + n, block;
    unsigned order;
    while (unit < end && find_block(b, unit, &block, &order))
        unit = block + ((size_t)1 << order);
    if (unit < end)
        return false;
    for (unit = first; unit < end && find_block(b, unit, &block, &order);) {
        size_t here = min_size(end, block + ((size_t)1 << order)) - unit;
        carve(b, block, order, unit, here);
        unit += here;
    }
    return true;
}

static size_t buddy_bytes(size_t units)
{
    (void)units;
    return 0;
}

static void buddy_init(struct bank *b, void *storage, bool free)
{
    (void)storage;
    assert(is_direct(b));
    for (unsigned order = 0; order <= MAX_ORDER; order++)
        list_init(&b->free_lists[order]);
    if (free)
        buddy_give(b, 0, b->units);
}

/* Every list holds free blocks of its order, aligned, none beside a free buddy;
 * returns the frames on it, or FREEMAP_NONE. */
static size_t check_list(const struct bank *b, unsigned order)
{
    size_t frames = 0, size = (size_t)1 << order;
    list_for_each (links, &b->free_lists[order]) {
        size_t unit = unit_of_links(b, links), buddy = unit ^ size;
        bool joined = order == MAX_ORDER || buddy >= b->units ||
                      !begins_block(b, buddy, order);
        if (!begins_block(b, unit, order) || !is_aligned(unit, size) || !joined)
            return FREEMAP_NONE;
        for (size_t i = 0; i < size; i++)
            if (!is_free(&b->frame[unit + i]))
                return FREEMAP_NONE;
        frames += size;
    }
    return frames;
}

static const char *buddy_check(struct bank *b)
{
    size_t frames = 0;
    for (unsigned order = 0; order <= MAX_ORDER; order++) {
        size_t on_list = check_list(b, order);
        if (on_list == FREEMAP_NONE)
            return "frames: a free block is not what its list says";
        frames += on_list;
    }
    for (size_t unit = 0; unit < b->units; unit++)
        frames -= is_free(&b->frame[unit]);
    return frames ? "frames: a free frame is on no list, or on two" : NULL;
}

const struct free_manager buddy_manager = {
    .name = "buddy",
    .bytes = buddy_bytes,
    .init = buddy_init,
    .give = buddy_give,
    .take = buddy_take,
    .take_some = buddy_take_some,
    .take_at = buddy_take_at,
    .check = buddy_check,
};
