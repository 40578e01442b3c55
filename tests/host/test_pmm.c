/* The frame manager on odd machines: banks and holes, ranges that overlap,
 * begin within a page, lie past 4 GiB. Every frame it has is taken and compared
 * with a model that looks at the raw ranges byte by byte. P1 to P11 are defects
 * of the original oct. */
#include "env.h"
#include "tests/kernel/support.h"

#include <arch/layout.h>
#include <arch/pte.h>
#include <stdlib.h>
#include <string.h>

#include "mm/early.h"
#include "mm/kheap.h"
#include "mm/pmm.h"

#include <oct/errno.h>

#define HIGH (DIRECT_END + 64 * MiB)

struct machine {
    const char *what;
    struct host_bank bank[3];
    struct mem_range range[8];
};

#define RAM DIRECT_START
#define FAR (DIRECT_START + 256 * MiB)

static const struct machine machines[] = {
    {"one bank", {{RAM, 16 * MiB}}, {{RAM, 16 * MiB, MEM_FREE}}},
    {"a small hole",
     {{RAM, 8 * MiB}},
     {{RAM, 3 * MiB, MEM_FREE}, {RAM + 5 * MiB, 3 * MiB, MEM_FREE}}},
    {"banks far apart",
     {{RAM, 8 * MiB}, {FAR, 12 * MiB}},
     {{FAR, 12 * MiB, MEM_FREE}, {RAM, 8 * MiB, MEM_FREE}}},
    {"partial pages",
     {{RAM, 8 * MiB}},
     {{RAM + 0x1234, 4 * MiB, MEM_FREE},
      {RAM + 5 * MiB + 1, 2 * MiB, MEM_FREE},
      {RAM + 2 * MiB + 0xfff, 2, MEM_FIRMWARE}}},
    {"reserved in any order",
     {{RAM, 16 * MiB}},
     {{RAM + MiB, 64 * KiB, MEM_KERNEL},
      {RAM, 16 * MiB, MEM_FREE},
      {RAM + MiB + 32 * KiB, MiB, MEM_INITRD},
      {RAM, 0x1000, MEM_FIRMWARE},
      {RAM + 16 * MiB - 10, 100, MEM_BOOT}}},
    {"above the direct map",
     {{RAM, 8 * MiB}, {HIGH, 8 * MiB}},
     {{RAM, 8 * MiB, MEM_FREE}, {HIGH, 8 * MiB, MEM_FREE}}},
    {"across the direct map's end",
     {{RAM, 8 * MiB}, {DIRECT_END - 4 * MiB, 8 * MiB}},
     {{DIRECT_END - 4 * MiB, 8 * MiB, MEM_FREE}, {RAM, 8 * MiB, MEM_FREE}}},
    {"reserved space without end",
     {{RAM, 8 * MiB}},
     {{RAM, 8 * MiB, MEM_FREE},
      {RAM + 4 * MiB, 0x1000, MEM_FIRMWARE},
      {1ull << 39, ~0ull, MEM_FIRMWARE}}},
    {"ends at odd frames",
     {{RAM, 8 * MiB}},
     {{RAM, 7 * MiB + 37 * PAGE_SIZE, MEM_FREE},
      {RAM + 13 * PAGE_SIZE, 5 * PAGE_SIZE, MEM_BOOT}}},
};

static size_t count_ranges(const struct machine *m)
{
    size_t n = 0;
    while (n < ARRAY_SIZE(m->range) && m->range[n].size > 0)
        n++;
    return n;
}

static void start(const struct machine *m)
{
    size_t banks = 0;
    while (banks < ARRAY_SIZE(m->bank) && m->bank[banks].size > 0)
        banks++;
    host_ram(m->bank, banks);
    host_start(host_boot(m->range, count_ranges(m)));
}

/* All of the page is usable, and no byte of it anybody else's. */
static bool is_usable(const struct machine *m, paddr_t page)
{
    bool usable = false;
    for (size_t i = 0; i < count_ranges(m); i++) {
        const struct mem_range *r = &m->range[i];
        bool all = r->base <= page && page + PAGE_SIZE <= r->base + r->size;
        bool any = r->base < page + PAGE_SIZE && page < r->base + r->size;
        if (r->kind == MEM_FREE)
            usable |= all;
        else if (any)
            return false;
    }
    return usable && page != 0 && page >> PT_PA_BITS == 0;
}

static size_t count_usable(const struct machine *m)
{
    size_t n = 0;
    for (size_t b = 0; b < ARRAY_SIZE(m->bank); b++)
        for (uint64_t at = 0; at < m->bank[b].size; at += PAGE_SIZE)
            n += is_usable(m, m->bank[b].base + at);
    return n;
}

static int by_address(const void *a, const void *b)
{
    paddr_t x = *(const paddr_t *)a, y = *(const paddr_t *)b;
    return x < y ? -1 : x > y;
}

/* P1, P9, P10: takes all frames there are, wherever, one by one. */
static void take_everything(struct test_result *result, const struct machine *m)
{
    struct frames_stats s;
    pmm_stats(&s);
    size_t usable = count_usable(m), n = 0;
    paddr_t *all = calloc(usable + 1, sizeof(*all));
    size_t kind[FRAME_KINDS];
    pmm_by_kind(kind);
    size_t owned = s.free + kind[FRAME_EARLY];
    for (size_t k = FRAME_KERNEL; k < FRAME_KINDS; k++)
        owned += kind[k];
    EXPECT(owned == usable);
    for (paddr_t pa; (pa = pmm_alloc_run(1, PAGE_SIZE, ~0ull));) {
        EXPECT(n < usable && is_usable(m, pa));
        all[n++] = pa;
        if (pa < DIRECT_END)
            memset(host_view(pa, PAGE_SIZE), 0xcc, PAGE_SIZE);
    }
    EXPECT(n == s.free);
    EXPECT(pmm_check() == NULL);
    qsort(all, n, sizeof(*all), by_address);
    for (size_t i = 0; i + 1 < n; i++)
        EXPECT(all[i] != all[i + 1]);
    for (size_t i = 0; i < n; i++)
        EXPECT(pmm_free(all[i]) == 0);
    EXPECT(frames_left() == s.free && pmm_check() == NULL);
    free(all);
}

#define ON_MACHINE(name, number)                                               \
    TEST(name)                                                                 \
    {                                                                          \
        start(&machines[number]);                                              \
        CALL(take_everything, &machines[number]);                              \
    }

ON_MACHINE(pmm_P9_one_bank, 0)
ON_MACHINE(pmm_P1_small_hole, 1)
ON_MACHINE(pmm_P5_banks_far_apart, 2)
ON_MACHINE(pmm_P6_partial_pages, 3)
ON_MACHINE(pmm_P7_reserved_in_any_order, 4)
ON_MACHINE(pmm_P10_above_the_direct_map, 5)
ON_MACHINE(pmm_P8_across_the_direct_map, 6)
ON_MACHINE(pmm_P8_endless_reservation, 7)
ON_MACHINE(pmm_P9_odd_end, 8)

/* High frames go first to those who can use them; low ones stay for others. */
TEST(pmm_high_frames_first)
{
    SKIP_IF(HIGH >> PT_PA_BITS, "the format addresses no such memory");
    start(&machines[5]);
    struct frames_stats before, after;
    pmm_stats(&before);
    paddr_t any = pmm_alloc_run(4, PAGE_SIZE, ~0ull);
    paddr_t low = pmm_alloc_run(4, PAGE_SIZE, DIRECT_END);
    EXPECT(any >= DIRECT_END && low && low < DIRECT_END);
    pmm_stats(&after);
    EXPECT(after.free_direct == before.free_direct - 4);
    EXPECT(pmm_alloc_run(4, PAGE_SIZE, HIGH) < DIRECT_END);
}

/* P3: runs of every length near what there is. */
TEST(pmm_P3_runs_near_all_of_ram)
{
    start(&machines[0]);
    size_t longest = 0;
    for (size_t n = 4096; n > 0; n--) {
        paddr_t pa = pmm_allocs(n);
        if (!pa)
            continue;
        if (!longest)
            longest = n;
        EXPECT(n <= longest);
        EXPECT(pa + n * PAGE_SIZE <= RAM + 16 * MiB);
        EXPECT(pmm_frees(pa, n) == 0);
        n -= n > 64 ? 63 : 0;
    }
    EXPECT(longest > 3000);
}

static void start_without(void *machine)
{
    start(machine);
}

/* Boots that must end with a message: no memory at all, too little of it. */
TEST(pmm_refuses_bad_maps)
{
    struct machine none = {"none", {{RAM, MiB}}, {{RAM, MiB, MEM_FIRMWARE}}};
    struct machine tiny = {"tiny", {{RAM, MiB}}, {{RAM, 0x3000, MEM_FREE}}};
    const char *said = host_panic_of(start_without, &none);
    EXPECT(said && strstr(said, "too little memory"));
    said = host_panic_of(start_without, &tiny);
    EXPECT(said && strstr(said, "too little memory"));
}

static void take_too_many(void *unused)
{
    (void)unused;
    for (;;)
        (void)early_alloc_pages(1000);
}

/* The boot-time allocator: zeroed, in a row, a panic when out and when over. */
TEST(early_pages)
{
    const struct machine *m = &machines[0];
    host_ram(m->bank, 1);
    memset(host_view(RAM, 16 * MiB), 0xee, 16 * MiB);
    early_init(host_boot(m->range, 1), MiB);
    paddr_t a = early_alloc_pages(1), b = early_alloc_pages(3);
    EXPECT(a != 0 && b == a + PAGE_SIZE);
    const char *p = host_view(b, 3 * PAGE_SIZE);
    for (size_t i = 0; i < 3 * PAGE_SIZE; i++)
        EXPECT(p[i] == 0);
    EXPECT(host_panic_of(take_too_many, NULL) != NULL);
    struct mem_range used = early_end();
    EXPECT(used.base == a && used.size >= 4 * PAGE_SIZE);
    const char *said = host_panic_of(take_too_many, NULL);
    EXPECT(said && strstr(said, "early memory"));
}
