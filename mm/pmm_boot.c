/* How the kernel's frame manager takes over the machine: banks from the memory
 * map, and every frame's first owner. */
#include "mm/early.h"
#include "mm/memmap.h"
#include "mm/percpu.h"
#include "mm/pmm.h"

#include <arch/pte.h>
#include <oct/assert.h>
#include <oct/kview.h>

#define RESERVE_MAX 256     /* frames, or 1/128 of RAM if that is less */
#define BANK_GAP (16 * MiB) /* holes up to this size cost less than a bank */

struct frames pmm;

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
            *start = round_down(r.base, frames_bank_align());
        *end = round_up(r.base + r.size, frames_bank_align());
        found = true;
    }
    if (found)
        *end = cut_at_borders(*start, *end);
    return found;
}

static void *early_bytes(size_t bytes)
{
    assert(bytes > 0);
    size_t pages = (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
    return phys_to_virt(early_alloc_pages(pages));
}

static void make_bank(paddr_t start, paddr_t end)
{
    const struct free_manager *manager =
        start < DIRECT_END ? pmm_choice : &bitmap_manager;
    size_t frames = (size_t)((end - start) >> PAGE_SHIFT);
    assert(start < end && is_aligned(start | end, frames_bank_align()));
    frames_add_bank(&pmm, early_bytes(frames_bank_bytes(frames, manager)),
                    start, end, manager);
}

static void make_banks(const struct boot_info *boot)
{
    paddr_t start, end, from;
    size_t count = 0;
    for (from = 0; next_extent(boot, from, &start, &end); from = end)
        count++;
    frames_begin(&pmm, early_bytes(frames_begin_bytes(count, percpu_map.cpus)),
                 count, percpu_map.cpus);
    for (from = 0; next_extent(boot, from, &start, &end); from = end)
        make_bank(start, end);
}

static uint64_t ram_bytes(const struct boot_info *boot)
{
    uint64_t bytes = 0;
    struct mem_range r;
    for (paddr_t at = 0; memmap_next(boot, at, &r); at = r.base + r.size)
        bytes += is_ram(r.kind) ? r.size : 0;
    return bytes;
}

void pmm_init(const struct boot_info *boot)
{
    static const enum frame_kind kinds[MEM_KINDS] = {
        [MEM_NONE] = FRAME_NONE,     [MEM_FREE] = FRAME_FREE,
        [MEM_INITRD] = FRAME_INITRD, [MEM_BOOT] = FRAME_BOOT,
        [MEM_KERNEL] = FRAME_IMAGE,  [MEM_FIRMWARE] = FRAME_FIRMWARE,
    };
    struct mem_range r, early;
    assert(pmm.bank_count == 0); /* the first call, and the only one */
    pmm.offset = DIRECT_OFFSET;
    pmm.direct_end = DIRECT_END;
    pmm.dma_limit = DMA_LIMIT;
    make_banks(boot);
    early = early_end();
    for (paddr_t at = 0; memmap_next(boot, at, &r); at = r.base + r.size)
        frames_tell(&pmm, r.base, r.base + r.size, kinds[r.kind]);
    frames_tell(&pmm, early.base, early.base + early.size, FRAME_EARLY);
    frames_tell(&pmm, 0, PAGE_SIZE, FRAME_FIRMWARE);
    pmm.stats.table_bytes = (size_t)early.size;
    frames_open(&pmm, min_size((size_t)(ram_bytes(boot) / PAGE_SIZE / 128),
                               RESERVE_MAX));
}
