#include "mm/early.h"
#include "mm/memmap.h"

#include <arch/layout.h>
#include <arch/pte.h>
#include <oct/assert.h>
#include <oct/kview.h>
#include <oct/string.h>

#define PAGE (1ull << PAGE_SHIFT)

static paddr_t start, next, end; /* next == end == 0: not in use */

void early_init(const struct boot_info *boot, size_t need)
{
    struct mem_range r = {0};
    paddr_t best = 0, best_size = 0, usable = 0;
    for (paddr_t at = 0; memmap_next(boot, at, &r); at = r.base + r.size) {
        if (r.kind != MEM_FREE || r.base >= DIRECT_END)
            continue;
        usable += r.size;
        if (r.size > best_size) {
            best = r.base;
            best_size = r.size;
        }
    }
    if (usable < need)
        panic("too little memory: %llu KiB usable, %llu KiB needed",
              usable / KiB, (unsigned long long)need / KiB);
    start = next = best ? best : PAGE; /* frame 0 means failure */
    end = best + best_size;
}

paddr_t early_alloc_pages(size_t n)
{
    assert(is_aligned(next | end, PAGE) && next <= end);
    if (next == end || n > (end - next) >> PAGE_SHIFT)
        panic("early memory: %zu pages asked, %llu left", n,
              (end - next) >> PAGE_SHIFT);
    paddr_t pa = next;
    next += (paddr_t)n << PAGE_SHIFT;
    memset(phys_to_virt(pa), 0, n << PAGE_SHIFT);
    return pa;
}

struct mem_range early_end(void)
{
    struct mem_range used = {start, next - start, MEM_KERNEL};
    start = next = end = 0;
    return used;
}
