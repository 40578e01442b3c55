/* The windows are a row of pages, and which of them are in use is the same
 * question as for frames: so the same map of free units answers it. An area is
 * a run of units, one more than it has pages; the last is never mapped. That
 * guard page also tells how long the area is, so of an area only its kind is
 * kept, a byte at its first unit: whoever takes an area down claims it there,
 * and nobody does it twice or to an area that is not his.
 *
 * Only as much of the windows is used as the machine's RAM could ever need,
 * because on i386 each 4 MiB of them costs a page table that stays for ever.
 */
#include "mm/vmap.h"
#include "mm/freemap.h"
#include "mm/paging.h"
#include "mm/pmm.h"

#include <oct/assert.h>
#include <oct/kview.h>
#include <oct/lock.h>
#include <oct/report.h>
#include <oct/string.h>

#define WINDOW_MIN (256 * MiB)
#define IO_PROT (P_READ | P_WRITE | P_DEVICE)
#define GUARD 1 /* unit 0 is never used: RAM may be mapped up to there */

static struct lock vmap_lock;  /* guards the rest */
static struct freemap windows; /* units that belong to no area */
static uint8_t *kinds;         /* enum vmap_kind at each area's first unit */
static size_t table_frames;    /* frames that hold these two */

static uint64_t wanted_bytes(void)
{
    struct frames_stats s;
    pmm_stats(&s);
    uint64_t twice_ram = 2 * (uint64_t)s.total << PAGE_SHIFT;
    uint64_t room = WINDOW_END - WINDOW_START;
    uint64_t wanted = twice_ram > WINDOW_MIN ? twice_ram : WINDOW_MIN;
    return round_down(wanted < room ? wanted : room, paging_span(1));
}

void vmap_init(void)
{
    size_t bytes = (size_t)wanted_bytes(), units = bytes >> PAGE_SHIFT;
    size_t storage = freemap_bytes(units, PT_INDEX_BITS);
    table_frames = (storage + units + PAGE_SIZE - 1) >> PAGE_SHIFT;
    paddr_t pa = pmm_allocs(table_frames);
    if (!pa || paging_pin(&kernel_map, WINDOW_START, bytes))
        panic("no memory for the kernel windows");
    pmm_label(pa, table_frames, FRAME_WINDOWS);
    freemap_init(&windows, phys_to_virt(pa), WINDOW_START >> PAGE_SHIFT, units,
                 PT_INDEX_BITS);
    freemap_give(&windows, GUARD, units - GUARD);
    kinds = memset((char *)phys_to_virt(pa) + storage, VMAP_NONE, units);
}

static vaddr_t va_of(size_t unit)
{
    assert(unit <= windows.units);
    return WINDOW_START + ((vaddr_t)unit << PAGE_SHIFT);
}

static size_t unit_of(vaddr_t va)
{
    return (va - WINDOW_START) >> PAGE_SHIFT;
}

/* --- areas --- */

/* Large areas begin where large pages can. */
vaddr_t vmap_take(size_t pages)
{
    size_t large = paging_span(1) >> PAGE_SHIFT;
    size_t align = pages >= large ? large : 1;
    size_t unit = FREEMAP_NONE;
    assert(pages > 0);
    lock_acquire(&vmap_lock);
    if (pages < windows.units)
        unit = freemap_find(&windows, pages + 1, align, windows.units);
    if (unit != FREEMAP_NONE)
        freemap_take(&windows, unit, pages + 1);
    lock_release(&vmap_lock);
    return unit == FREEMAP_NONE ? 0 : va_of(unit);
}

void vmap_give(vaddr_t va, size_t pages)
{
    lock_acquire(&vmap_lock);
    assert(pages > 0 && pages < windows.units - unit_of(va));
    assert(kinds[unit_of(va)] == VMAP_NONE);
    freemap_give(&windows, unit_of(va), pages + 1);
    lock_release(&vmap_lock);
}

void vmap_name(vaddr_t va, enum vmap_kind kind)
{
    lock_acquire(&vmap_lock);
    assert(kinds[unit_of(va)] == VMAP_NONE && kind != VMAP_NONE);
    kinds[unit_of(va)] = (uint8_t)kind;
    lock_release(&vmap_lock);
}

static bool in_windows(vaddr_t va)
{
    return va >= WINDOW_START && unit_of(va) < windows.units;
}

bool vmap_claim(vaddr_t va, enum vmap_kind kind)
{
    if (!in_windows(va) || !is_aligned(va, PAGE_SIZE))
        return false;
    lock_acquire(&vmap_lock);
    bool claimed = kinds[unit_of(va)] == kind;
    if (claimed)
        kinds[unit_of(va)] = VMAP_NONE;
    lock_release(&vmap_lock);
    return claimed;
}

/* Pages mapped from va on, up to the first that is not. */
static size_t mapped_pages(vaddr_t va)
{
    assert(is_aligned(va, PAGE_SIZE));
    vaddr_t end = va;
    struct mapping m;
    while ((m = paging_query(&kernel_map, end)).present)
        end = m.va + m.len;
    return (end - va) >> PAGE_SHIFT;
}

struct vmap_area vmap_find(vaddr_t va)
{
    struct vmap_area area = {0, 0, VMAP_NONE};
    if (!in_windows(va))
        return area;
    size_t unit = unit_of(va);
    lock_acquire(&vmap_lock);
    while (unit > 0 && kinds[unit] == VMAP_NONE)
        unit--;
    enum vmap_kind kind = kinds[unit];
    lock_release(&vmap_lock);
    size_t pages = kind == VMAP_NONE ? 0 : mapped_pages(va_of(unit));
    if (kind != VMAP_NONE && unit_of(va) - unit <= pages)
        area = (struct vmap_area){va_of(unit), pages, kind};
    return area;
}

/* --- vmap and ioremap --- */

static void *map_as(enum vmap_kind kind, paddr_t pa, size_t len, unsigned prot)
{
    assert(kind != VMAP_NONE);
    if (!is_aligned(pa | len, PAGE_SIZE) || len == 0)
        return NULL;
    vaddr_t va = vmap_take(len >> PAGE_SHIFT);
    if (!va)
        return NULL;
    if (paging_map(&kernel_map, va, pa, len, prot | P_GLOBAL)) {
        vmap_give(va, len >> PAGE_SHIFT);
        return NULL;
    }
    vmap_name(va, kind);
    return (void *)va;
}

static void unmap(vaddr_t va, enum vmap_kind kind, const char *who,
                  vaddr_t caller)
{
    if (!vmap_claim(va, kind)) {
        report(caller, "%s: no such area begins at 0x%lx", who,
               (unsigned long)va);
        return;
    }
    /* All of each large page goes, so no table is needed and it cannot fail. */
    size_t pages = mapped_pages(va);
    int error = paging_unmap(&kernel_map, va, pages << PAGE_SHIFT);
    assert(!error);
    vmap_give(va, pages);
}

void *vmap(paddr_t pa, size_t len, unsigned prot)
{
    return map_as(VMAP_PAGES, pa, len, prot);
}

void vunmap(void *p)
{
    if (p)
        unmap((vaddr_t)p, VMAP_PAGES, "vunmap", CALLER);
}

static bool touches_ram(paddr_t pa, size_t size)
{
    paddr_t last = pa + (size - 1);
    for (pa = round_down(pa, PAGE_SIZE); pa <= last; pa += PAGE_SIZE) {
        enum frame_kind kind = pmm_kind(pa);
        if (kind != FRAME_NONE && kind != FRAME_FIRMWARE)
            return true;
    }
    return false;
}

/* Why [pa, pa + size) cannot be mapped as device registers, or NULL. */
static const char *refuse_io(paddr_t pa, size_t size)
{
    if (size == 0 || pa + (size - 1) < pa ||
        (pa + (size - 1)) >> PT_PA_BITS != 0)
        return "no such range";
    if (size >> PAGE_SHIFT >= windows.units)
        return "no room";
    return touches_ram(pa, size) ? "that is RAM" : NULL;
}

void *ioremap(paddr_t pa, size_t size)
{
    const char *refused = refuse_io(pa, size);
    size_t offset = pa & (PAGE_SIZE - 1);
    char *page = NULL;
    if (!refused)
        page = map_as(VMAP_IO, pa - offset,
                      (size_t)round_up(offset + size, PAGE_SIZE), IO_PROT);
    if (page)
        return page + offset;
    report(CALLER, "ioremap of %zu bytes at 0x%llx: %s", size, pa,
           refused ? refused : "no room");
    return NULL;
}

void iounmap(void *p)
{
    if (p)
        unmap(round_down((vaddr_t)p, PAGE_SIZE), VMAP_IO, "iounmap", CALLER);
}

void vmap_stats(struct vmap_stats *out)
{
    *out = (struct vmap_stats){windows.units, windows.free, table_frames};
}

/* --- checking --- */

/* Why a page of an area of this kind is not as it must be, or NULL. */
static const char *wrong_page(enum vmap_kind kind, const struct mapping *m)
{
    enum frame_kind frame = pmm_kind(m->pa);
    if (kind == VMAP_ALLOC && frame != FRAME_VMALLOC)
        return "vmap: a vmalloc area maps a frame that is not its own";
    if (kind == VMAP_ALLOC && m->level != 0)
        return "vmap: a vmalloc area has a large page";
    if (kind == VMAP_IO && m->prot != paging_effective(IO_PROT | P_GLOBAL))
        return "vmap: device registers have other rights than they need";
    return NULL;
}

/* Passes *unit over the area that begins there. */
static const char *check_area(size_t *unit, size_t *owned)
{
    size_t first = *unit, pages = mapped_pages(va_of(first));
    enum vmap_kind kind = kinds[first];
    const char *wrong = NULL;
    if (kind == VMAP_NONE || pages == 0)
        return "vmap: a page is taken and in no area";
    if (pages >= windows.units - first ||
        !freemap_all_taken(&windows, first, pages + 1))
        return "vmap: an area has no guard page";
    for (size_t i = 1; i <= pages; i++)
        if (kinds[first + i] != VMAP_NONE)
            return "vmap: an area begins within another";
    for (vaddr_t va = va_of(first); !wrong && va < va_of(first + pages);) {
        struct mapping m = paging_query(&kernel_map, va);
        wrong = wrong_page(kind, &m);
        va = m.va + m.len;
    }
    *owned += kind == VMAP_ALLOC ? pages : 0;
    *unit += pages + 1;
    return wrong;
}

/* Passes *unit over free units, as far as one hole of the tables reaches. */
static const char *check_free(size_t *unit)
{
    struct mapping hole = paging_query(&kernel_map, va_of(*unit));
    size_t end = min_size(unit_of(hole.va + hole.len), windows.units);
    if (hole.present)
        return "vmap: a free page is mapped";
    for (; *unit < end && freemap_all_free(&windows, *unit, 1); ++*unit)
        if (kinds[*unit] != VMAP_NONE)
            return "vmap: a free page begins an area";
    return NULL;
}

const char *vmap_check(void)
{
    const char *wrong = freemap_check(&windows);
    size_t owned = 0;
    size_t kind[FRAME_KINDS];
    for (size_t unit = GUARD; unit < windows.units && !wrong;)
        wrong = freemap_all_free(&windows, unit, 1) ? check_free(&unit)
                                                    : check_area(&unit, &owned);
    pmm_by_kind(kind);
    if (!wrong && owned != kind[FRAME_VMALLOC])
        wrong = "vmap: the areas of vmalloc do not have all of its frames";
    return wrong;
}
