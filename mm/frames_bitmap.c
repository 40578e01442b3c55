/* The frame manager with a bitmap: all of the work is freemap.c's. */
#include "mm/frames_banks.h"

#include <oct/assert.h>

static size_t bitmap_bytes(size_t units)
{
    return freemap_bytes(units, PT_INDEX_BITS);
}

static void bitmap_init(struct bank *b, void *storage, bool free)
{
    assert(b->units > 0 && is_aligned(b->base, PAGE_SIZE));
    (free ? freemap_init_free : freemap_init)(
        &b->map, storage, b->base >> PAGE_SHIFT, b->units, PT_INDEX_BITS);
}

static void bitmap_give(struct bank *b, size_t first, size_t n)
{
    assert(first < b->units && n <= b->units - first);
    freemap_give(&b->map, first, n);
}

static size_t bitmap_take(struct bank *b, size_t n, size_t align, size_t end)
{
    size_t first = freemap_find(&b->map, n, align, end);
    if (first != FREEMAP_NONE)
        freemap_take(&b->map, first, n);
    return first;
}

static size_t bitmap_take_some(struct bank *b, size_t max, size_t unit[])
{
    return freemap_take_some(&b->map, max, unit);
}

static bool bitmap_take_at(struct bank *b, size_t first, size_t n)
{
    assert(first < b->units && n <= b->units - first);
    if (!freemap_all_free(&b->map, first, n))
        return false;
    freemap_take(&b->map, first, n);
    return true;
}

static const char *bitmap_check(struct bank *b)
{
    for (size_t unit = 0; unit < b->units; unit++)
        if (freemap_all_free(&b->map, unit, 1) != is_free(&b->frame[unit]))
            return "frames: a frame's owner and the bitmap disagree";
    return freemap_check(&b->map);
}

const struct free_manager bitmap_manager = {
    .name = "bitmap",
    .bytes = bitmap_bytes,
    .init = bitmap_init,
    .give = bitmap_give,
    .take = bitmap_take,
    .take_some = bitmap_take_some,
    .take_at = bitmap_take_at,
    .check = bitmap_check,
};
