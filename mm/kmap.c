/* What the kernel maps for itself: its image, section by section, so that
 * nothing is both writable and executable; all RAM it can reach, for frames,
 * tables and the heap; and the devices that the port wants from the start.
 * Three things are left out on purpose: the first page, so that NULL traps; the
 * page below the boot stack, so that an overflow traps; and the firmware.
 */
#include "mm/kmap.h"
#include "mm/memmap.h"
#include "mm/paging.h"

#include <oct/assert.h>
#include <oct/image.h>
#include <oct/mmu.h>
#include <oct/print.h>

#define PAGE (1ull << PAGE_SHIFT)

struct section {
    const char *name;
    const char *start, *end;
    unsigned prot;
};

static const struct section sections[] = {
    {"kernel text", text_start, text_end, P_READ | P_EXEC},
    {"kernel constants", rodata_start, rodata_end, P_READ},
    {"kernel data", data_start, stack_guard, P_READ | P_WRITE},
    {"boot stack", stack_bottom, stack_top, P_READ | P_WRITE},
};

static const struct device {
    const char *name;
    paddr_t pa;
    size_t len;
} devices[] = {LAYOUT_DEVICES};

/* Rows are offered one by one; the lowest at or after `from` stays. */
static void offer(struct kmap_row *best, paddr_t from, const char *name,
                  paddr_t pa, uint64_t len, unsigned prot)
{
    assert(is_aligned(pa, PAGE) && is_aligned(len, PAGE));
    if (len == 0 || pa < from || (best->len > 0 && best->pa <= pa))
        return;
    *best = (struct kmap_row){name, (vaddr_t)(pa + DIRECT_OFFSET), pa,
                              (size_t)len, prot | P_GLOBAL};
}

static void offer_sections(struct kmap_row *best, paddr_t from)
{
    for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
        const struct section *s = &sections[i];
        offer(best, from, s->name, (uintptr_t)s->start - DIRECT_OFFSET,
              (uint64_t)(s->end - s->start), s->prot);
    }
}

static bool is_plain_ram(const struct mem_range *r)
{
    return r->base < DIRECT_END && r->kind != MEM_KERNEL &&
           r->kind != MEM_FIRMWARE;
}

static void offer_ram(struct kmap_row *best, const struct boot_info *boot,
                      paddr_t from)
{
    struct mem_range r, next;
    bool more = memmap_next(boot, from > PAGE ? from : PAGE, &r);
    while (more && !is_plain_ram(&r))
        more = memmap_next(boot, r.base + r.size, &r);
    if (!more)
        return;
    while (memmap_next(boot, r.base + r.size, &next) &&
           next.base == r.base + r.size && is_plain_ram(&next))
        r.size += next.size;
    offer(best, from, "RAM", r.base, r.size, P_READ | P_WRITE);
}

bool kmap_next(const struct boot_info *boot, paddr_t from, struct kmap_row *out)
{
    *out = (struct kmap_row){0};
    offer_sections(out, from);
    offer_ram(out, boot, from);
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
        offer(out, from, devices[i].name, devices[i].pa, devices[i].len,
              P_READ | P_WRITE | P_DEVICE);
    return out->len > 0;
}

void kmap_init(const struct boot_info *boot)
{
    struct kmap_row row;
    if (paging_create(&kernel_map))
        panic("no memory for the kernel's page table");
    for (paddr_t at = 0; kmap_next(boot, at, &row); at = row.pa + row.len)
        if (paging_map(&kernel_map, row.va, row.pa, row.len, row.prot))
            panic("cannot map %s at 0x%llx", row.name, row.pa);
    mmu_load(kernel_map.root);
}

void kmap_print(const struct boot_info *boot)
{
    struct kmap_row row;
    int digits = 2 * (int)sizeof(vaddr_t) > 8 ? 12 : 8;
    for (paddr_t at = 0; kmap_next(boot, at, &row); at = row.pa + row.len)
        kprintf("  %0*llx-%0*llx %9zu KiB  r%c%c  %s%s\n", digits,
                (unsigned long long)row.va, digits,
                (unsigned long long)row.va + row.len - 1, row.len / 1024,
                row.prot & P_WRITE ? 'w' : '-',
                paging_effective(row.prot) & P_EXEC ? 'x' : '-', row.name,
                row.prot & P_DEVICE ? ", uncached" : "");
}
