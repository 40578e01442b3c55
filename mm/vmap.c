/* The windows are a row of pages, and which of them are in use is the same
 * question as for frames: so the same map of free units answers it. An area is
 * a run of units, one more than it has pages; the last is never mapped. That
 * guard page also tells how long the area is, so nothing is kept about areas.
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

#define WINDOW_MIN (256 * MiB)

static struct lock vmap_lock; /* guards the map of units */
static struct freemap windows;

static uint64_t wanted_bytes(void)
{
    struct pmm_stats s;
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
    paddr_t pa = pmm_allocs((storage + PAGE_SIZE - 1) >> PAGE_SHIFT);
    if (!pa || paging_pin(&kernel_map, WINDOW_START, bytes))
        panic("no memory for the kernel windows");
    freemap_init(&windows, phys_to_virt(pa), WINDOW_START >> PAGE_SHIFT, units,
                 PT_INDEX_BITS);
    freemap_give(&windows, 0, units);
}

static vaddr_t va_of(size_t unit)
{
    return WINDOW_START + ((vaddr_t)unit << PAGE_SHIFT);
}

static size_t unit_of(vaddr_t va)
{
    return (va - WINDOW_START) >> PAGE_SHIFT;
}

static bool is_mapped(vaddr_t va)
{
    return paging_query(&kernel_map, va).present;
}

/* Large areas begin where large pages can. */
static size_t take_units(size_t pages)
{
    size_t large = paging_span(1) >> PAGE_SHIFT;
    size_t align = pages >= large ? large : 1;
    size_t unit = FREEMAP_NONE;
    lock_acquire(&vmap_lock);
    if (pages < windows.units)
        unit = freemap_find(&windows, pages + 1, align, windows.units);
    if (unit != FREEMAP_NONE)
        freemap_take(&windows, unit, pages + 1);
    lock_release(&vmap_lock);
    return unit;
}

static void give_units(size_t unit, size_t pages)
{
    lock_acquire(&vmap_lock);
    freemap_give(&windows, unit, pages + 1);
    lock_release(&vmap_lock);
}

void *vmap(paddr_t pa, size_t len, unsigned prot)
{
    if (!is_aligned(pa | len, PAGE_SIZE) || len == 0)
        return NULL;
    size_t unit = take_units(len >> PAGE_SHIFT);
    if (unit == FREEMAP_NONE)
        return NULL;
    if (paging_map(&kernel_map, va_of(unit), pa, len, prot | P_GLOBAL)) {
        give_units(unit, len >> PAGE_SHIFT);
        return NULL;
    }
    return (void *)va_of(unit);
}

/* Pages of the area that begins at va; 0 if none does. */
static size_t area_pages(vaddr_t va)
{
    size_t pages = 0, unit = unit_of(va);
    if (va < WINDOW_START || unit >= windows.units ||
        !is_aligned(va, PAGE_SIZE) || (unit > 0 && is_mapped(va - PAGE_SIZE)))
        return 0;
    while (is_mapped(va + (pages << PAGE_SHIFT)))
        pages++;
    return pages;
}

static void unmap_area(vaddr_t va, const char *who, vaddr_t caller)
{
    size_t pages = area_pages(va);
    if (pages == 0) {
        report(caller, "%s: no area begins at 0x%lx", who, (unsigned long)va);
        return;
    }
    /* All of each large page goes, so no table is needed and it cannot fail. */
    int error = paging_unmap(&kernel_map, va, pages << PAGE_SHIFT);
    assert(!error);
    give_units(unit_of(va), pages);
}

void vunmap(void *p)
{
    if (p)
        unmap_area((vaddr_t)p, "vunmap", CALLER);
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
        page = vmap(pa - offset, (size_t)round_up(offset + size, PAGE_SIZE),
                    P_READ | P_WRITE | P_DEVICE);
    if (page)
        return page + offset;
    report(CALLER, "ioremap of %zu bytes at 0x%llx: %s", size, pa,
           refused ? refused : "no room");
    return NULL;
}

void iounmap(void *p)
{
    if (p)
        unmap_area(round_down((vaddr_t)p, PAGE_SIZE), "iounmap", CALLER);
}

void vmap_stats(struct vmap_stats *out)
{
    *out = (struct vmap_stats){windows.units, windows.free};
}

/* A free unit is not mapped; more cannot be known without a list of areas. */
const char *vmap_check(void)
{
    const char *wrong = freemap_check(&windows);
    for (size_t unit = 0; unit < windows.units && !wrong; unit++)
        if (freemap_all_free(&windows, unit, 1) && is_mapped(va_of(unit)))
            wrong = "vmap: a free page is mapped";
    return wrong;
}
