/* The pure parts under the frame manager: sets of numbers, maps of free units,
 * and the reading of odd memory maps. */
#include "mm/freemap.h"
#include "mm/kheap.h"
#include "mm/memmap.h"
#include "tests/kernel/support.h"

#include <arch/layout.h>
#include <arch/pte.h>
#include <oct/string.h>

#define PAGE (1ull << PAGE_SHIFT)

/* --- bitset --- */

static void compare_bitset(struct test_result *result, size_t size,
                           struct bitset *s, bool *model)
{
    struct random r = random_start((uint32_t)size);
    for (uint32_t step = 0; step < 400; step++) {
        size_t i = random_below(&r, (uint32_t)size);
        model[i] = random_below(&r, 3) == 0;
        if (model[i])
            bitset_add(s, i);
        else
            bitset_remove(s, i);
        EXPECT(bitset_has(s, i) == model[i]);
        size_t from = random_below(&r, (uint32_t)size + 1), next = from;
        while (next < size && !model[next])
            next++;
        EXPECT(bitset_next(s, from) == (next < size ? next : BITSET_NONE));
        EXPECT(bitset_check(s));
    }
}

TEST(bitset_against_model)
{
    static const size_t sizes[] = {1, 31, 32, 33, 64, 65, 1024, 4097};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct bitset s;
        void *storage = kmalloc(bitset_bytes(sizes[i]), GFP_KERNEL);
        bool *model = kcalloc(sizes[i], sizeof(*model), GFP_KERNEL);
        EXPECT(storage && model);
        memset(storage, 0xa5, bitset_bytes(sizes[i]));
        bitset_init(&s, storage, sizes[i]);
        EXPECT(bitset_next(&s, 0) == BITSET_NONE);
        CALL(compare_bitset, sizes[i], &s, model);
        kfree(storage);
        kfree(model);
    }
}

/* --- freemap --- */

#define UNITS 512
#define GROUP_SHIFT 6

/* Is there such a run at all? By looking everywhere. */
static bool model_has_run(const bool *taken, size_t n, size_t align, size_t end,
                          uint64_t base)
{
    for (size_t start = 0; start + n <= end; start++) {
        size_t len = 0;
        while (len < n && !taken[start + len])
            len++;
        if (len == n && is_aligned(base + start, align))
            return true;
    }
    return false;
}

static void random_find(struct test_result *result, struct freemap *f,
                        bool *taken, struct random *r)
{
    size_t n = 1 + random_below(r, random_below(r, 2) ? 8 : 200);
    size_t align = (size_t)1 << random_below(r, 8);
    size_t end = random_below(r, 4) ? UNITS : random_below(r, UNITS + 1);
    size_t at = freemap_find(f, n, align, end);
    EXPECT((at != FREEMAP_NONE) ==
           model_has_run(taken, n, align, end, f->base));
    if (at == FREEMAP_NONE)
        return;
    EXPECT(at + n <= end && is_aligned(f->base + at, align));
    for (size_t i = 0; i < n; i++)
        EXPECT(!taken[at + i]);
    freemap_take(f, at, n);
    memset(taken + at, true, n);
}

static void random_give(struct test_result *result, struct freemap *f,
                        bool *taken, struct random *r)
{
    size_t first = random_below(r, UNITS), n = 0;
    while (first + n < UNITS && taken[first + n] && n < 100)
        n++;
    EXPECT(freemap_all_taken(f, first, n));
    freemap_give(f, first, n);
    memset(taken + first, false, n);
}

TEST(freemap_against_model)
{
    struct freemap f;
    static bool taken[UNITS];
    struct random r = random_start(3);
    void *storage = kmalloc(freemap_bytes(UNITS, GROUP_SHIFT), GFP_KERNEL);
    EXPECT(storage);
    memset(taken, true, sizeof(taken));
    /* The base is a multiple of a group, not of larger alignments. */
    freemap_init(&f, storage, 3 << GROUP_SHIFT, UNITS, GROUP_SHIFT);
    EXPECT(freemap_find(&f, 1, 1, UNITS) == FREEMAP_NONE);
    for (uint32_t step = 0; step < 3000; step++) {
        if (random_below(&r, 2))
            CALL(random_find, &f, taken, &r);
        else
            CALL(random_give, &f, taken, &r);
        EXPECT(freemap_check(&f) == NULL);
    }
    kfree(storage);
}

/* Single units leave whole groups whole while partly used ones have room. */
TEST(freemap_keeps_groups_whole)
{
    struct freemap f;
    void *storage = kmalloc(freemap_bytes(UNITS, GROUP_SHIFT), GFP_KERNEL);
    EXPECT(storage);
    freemap_init(&f, storage, 0, UNITS, GROUP_SHIFT);
    freemap_give(&f, 0, UNITS);
    freemap_take(&f, 200, 1);
    for (size_t i = 0; i < 63; i++) {
        size_t unit = freemap_find(&f, 1, 1, UNITS);
        EXPECT(unit >> GROUP_SHIFT == 200 >> GROUP_SHIFT);
        freemap_take(&f, unit, 1);
    }
    EXPECT(freemap_find(&f, 1, 1, UNITS) >> GROUP_SHIFT != 200 >> GROUP_SHIFT);
    EXPECT(freemap_find(&f, 65, 1, UNITS) != FREEMAP_NONE);
    kfree(storage);
}

/* --- memory maps --- */

struct raw_map {
    const struct mem_range *range;
    size_t n;
};

static bool raw_range(const struct boot_info *boot, size_t i,
                      struct mem_range *out)
{
    const struct raw_map *map = boot->private;
    if (i < map->n)
        *out = map->range[i];
    return i < map->n;
}

/* What a page is, by asking each range about each of its bytes' edges. */
static enum mem_kind model_kind(const struct raw_map *map, paddr_t page)
{
    enum mem_kind kind = MEM_NONE;
    for (size_t i = 0; i < map->n; i++) {
        const struct mem_range *r = &map->range[i];
        paddr_t last = r->base + (r->size - 1);
        if (r->size == 0)
            continue;
        if (last < r->base)
            last = ~0ull;
        bool all = r->base <= page && last >= page + (PAGE - 1);
        bool any = r->base <= page + (PAGE - 1) && last >= page;
        if ((r->kind == MEM_FREE ? all : any) && r->kind > kind)
            kind = r->kind;
    }
    return kind;
}

static void check_map(struct test_result *result, const struct mem_range *range,
                      size_t n, paddr_t from, paddr_t to)
{
    const struct raw_map map = {range, n};
    const struct boot_info boot = {.range = raw_range, .private = &map};
    struct mem_range r = {0};
    paddr_t seen = 0;
    while (memmap_next(&boot, seen, &r)) {
        EXPECT(r.base >= seen && r.size > 0 && r.kind != MEM_NONE);
        EXPECT(is_aligned(r.base | r.size, PAGE));
        EXPECT(r.base + r.size <= 1ull << PT_PA_BITS);
        EXPECT(r.base >= DIRECT_END || r.base + r.size <= DIRECT_END);
        EXPECT(model_kind(&map, r.base) == r.kind);
        EXPECT(model_kind(&map, r.base + r.size - PAGE) == r.kind);
        seen = r.base + r.size;
    }
    for (paddr_t page = from; page < to; page += PAGE) {
        bool found = memmap_next(&boot, page, &r) && r.base == page;
        EXPECT((found ? r.kind : MEM_NONE) == model_kind(&map, page));
    }
}

/* P6: usable ranges round in, others out. */
TEST(memmap_partial_pages)
{
    static const struct mem_range range[] = {
        {0x1001, 0x2fff, MEM_FREE},   {0x5000, 0x1fff, MEM_FREE},
        {0x9800, 0x10, MEM_FIRMWARE}, {0x9000, 0x3000, MEM_FREE},
        {0xd800, 0x100, MEM_FREE},    {0xe000, 0, MEM_FIRMWARE},
        {0xffff, 0x2, MEM_FIRMWARE},
    };
    CALL(check_map, range, ARRAY_SIZE(range), 0, 0x20000);
}

/* P7: reserved wins in any order, overlapping and touching. */
TEST(memmap_overlaps)
{
    static const struct mem_range range[] = {
        {0x4000, 0x2000, MEM_FIRMWARE}, {0x0000, 0x10000, MEM_FREE},
        {0x5000, 0x3000, MEM_BOOT},     {0x8000, 0x1000, MEM_KERNEL},
        {0x8000, 0x9000, MEM_FREE},     {0xf000, 0x2000, MEM_INITRD},
        {0x2000, 0x1000, MEM_FREE},     {0x8000, 0x1000, MEM_INITRD},
    };
    CALL(check_map, range, ARRAY_SIZE(range), 0, 0x20000);
}

/* P5, P8: ranges at and past 4 GiB, and at the edges of the types. */
TEST(memmap_far_ranges)
{
    static const struct mem_range range[] = {
        {0x100000000, 0x100000, MEM_FREE},
        {0x100000, 0x200000, MEM_FREE},
        {0xfffff000, 0x2000, MEM_FIRMWARE},
        {0xffffffffffff0000, 0x10000, MEM_FREE},
        {0xfffffffffffff000, ~0ull, MEM_FIRMWARE},
        {0x200000000, 0xfff, MEM_FREE},
    };
    CALL(check_map, range, ARRAY_SIZE(range), 0, 0x400000);
    const struct raw_map map = {range, ARRAY_SIZE(range)};
    const struct boot_info boot = {.range = raw_range, .private = &map};
    struct mem_range r;
    EXPECT(memmap_next(&boot, 0, &r) && r.base == 0x100000);
}

TEST(memmap_random)
{
    struct random r = random_start(4);
    for (uint32_t round = 0; round < 60; round++) {
        struct mem_range range[12];
        size_t n = random_below(&r, ARRAY_SIZE(range) + 1);
        for (size_t i = 0; i < n; i++)
            range[i] = (struct mem_range){
                random_below(&r, 0x20000), random_below(&r, 0x9000),
                (enum mem_kind)(1 + random_below(&r, MEM_KINDS - 1))};
        CALL(check_map, range, n, 0, 0x2a000);
    }
}

TEST(memmap_empty)
{
    const struct raw_map map = {NULL, 0};
    const struct boot_info boot = {.range = raw_range, .private = &map};
    struct mem_range r;
    EXPECT(!memmap_next(&boot, 0, &r));
}
