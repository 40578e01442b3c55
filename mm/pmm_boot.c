/* How the frame manager takes over the machine: banks from the memory map, and
 * every frame's first owner. */
#include "mm/early.h"
#include "mm/memmap.h"
#include "mm/pmm_banks.h"

#include <oct/assert.h>
#include <oct/kview.h>

#define RESERVE_MAX 256     /* frames, or 1/128 of RAM if that is less */
#define BANK_GAP (16 * MiB) /* holes up to this size cost less than a bank */

struct pmm pmm = {.fail_after = -1};

static bool is_ram(enum mem_kind kind)
{
    return kind != MEM_NONE && kind != MEM_FIRMWARE;
}

/* Banks do not cross these, so that a limit is a choice of banks, and frames
 * that only some can use are not taken while there are others. */
static paddr_t cut_at_borders(paddr_t start, paddr_t end)
{
    static const paddr_t borders[] = {DMA_LIMIT, DIRECT_END};
    for (size_t i = 0; i < ARRAY_SIZE(borders); i++)
        if (start < borders[i] && borders[i] < end)
            end = borders[i];
    return end;
}

/* The next stretch of RAM that is to be one bank, or false. */
static bool next_extent(const struct boot_info *boot, paddr_t from,
                        paddr_t *start, paddr_t *end)
{
    struct mem_range r;
    bool found = false;
    for (; memmap_next(boot, from, &r); from = r.base + r.size) {
        if (!is_ram(r.kind))
            continue;
        if (found && r.base - *end >= BANK_GAP)
            break;
        if (!found)
            *start = round_down(r.base, (uint64_t)BANK_ALIGN);
        *end = round_up(r.base + r.size, (uint64_t)BANK_ALIGN);
        found = true;
    }
    if (found)
        *end = cut_at_borders(*start, *end);
    return found;
}

static void *early_bytes(size_t bytes)
{
    size_t pages = (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
    return phys_to_virt(early_alloc_pages(pages));
}

static void make_bank(struct bank *b, paddr_t start, paddr_t end)
{
    uint64_t units = (end - start) >> PAGE_SHIFT;
    assert(units <= (size_t)-1 / sizeof(struct frame));
    assert(is_aligned(start | end, BANK_ALIGN) && start < end);
    b->base = start;
    b->units = (size_t)units;
    b->frame = early_bytes(b->units * sizeof(struct frame));
    b->manager = start < DIRECT_END ? pmm_choice : &bitmap_manager;
    b->manager->init(b, early_bytes(b->manager->bytes(b->units)));
    pmm.stats.kind[FRAME_NONE] += b->units;
}

static void make_banks(const struct boot_info *boot)
{
    paddr_t start, end, from;
    for (from = 0; next_extent(boot, from, &start, &end); from = end)
        pmm.bank_count++;
    pmm.banks = early_bytes(pmm.bank_count * sizeof(*pmm.banks));
    struct bank *b = pmm.banks;
    for (from = 0; next_extent(boot, from, &start, &end); from = end)
        make_bank(b++, start, end);
}

/* Frames of the range that lie in banks become `kind`. Ranges may be far larger
 * than RAM, so it is the banks that are walked. */
static void tell_kind(const struct mem_range *r, enum frame_kind kind)
{
    for (struct bank *b = pmm.banks; b < pmm.banks + pmm.bank_count; b++) {
        paddr_t pa = r->base > b->base ? r->base : b->base;
        paddr_t end = r->base + r->size;
        for (; pa < end && pa < bank_end(b); pa += PAGE_SIZE)
            set_kind(&b->frame[unit_of(b, pa)], kind);
    }
}

static void give_free_frames(struct bank *b)
{
    lock_acquire(&pmm.lock);
    for (size_t i = 0, n; i < b->units; i += n) {
        n = 1;
        if (b->frame[i].kind != FRAME_FREE)
            continue;
        while (i + n < b->units && b->frame[i + n].kind == FRAME_FREE)
            n++;
        b->manager->give(b, i, n);
        b->free += n;
    }
    lock_release(&pmm.lock);
}

void pmm_init(const struct boot_info *boot)
{
    static const enum frame_kind kinds[MEM_KINDS] = {
        [MEM_NONE] = FRAME_NONE,     [MEM_FREE] = FRAME_FREE,
        [MEM_INITRD] = FRAME_INITRD, [MEM_BOOT] = FRAME_BOOT,
        [MEM_KERNEL] = FRAME_IMAGE,  [MEM_FIRMWARE] = FRAME_FIRMWARE,
    };
    struct mem_range r, early, zero = {0, PAGE_SIZE, MEM_FIRMWARE};
    make_banks(boot);
    early = early_end();
    pmm.stats.table_bytes = (size_t)early.size;
    for (paddr_t at = 0; memmap_next(boot, at, &r); at = r.base + r.size)
        tell_kind(&r, kinds[r.kind]);
    tell_kind(&early, FRAME_EARLY);
    tell_kind(&zero, FRAME_FIRMWARE);
    for (struct bank *b = pmm.banks; b < pmm.banks + pmm.bank_count; b++) {
        give_free_frames(b);
        pmm.stats.total += b->units;
    }
    pmm.stats.total -= pmm.stats.kind[FRAME_NONE];
    pmm.stats.reserve = min_size(pmm.stats.total / 128, RESERVE_MAX);
}
