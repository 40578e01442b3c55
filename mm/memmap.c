/* Firmware describes memory badly: ranges overlap, come in any order, begin
 * within a page, reach past what the machine can address. Rather than sort them
 * into a table of our own, which would need memory before there is any, each
 * question is answered by looking at all raw ranges again: what is the page at
 * this address, and how far is that so? Quadratic in the number of ranges, of
 * which there are tens, and asked a few times at boot.
 */
#include "mm/memmap.h"

#include <arch/layout.h>
#include <arch/pte.h>
#include <oct/assert.h>

#define PAGE (1ull << PAGE_SHIFT)
#define ADDRESSABLE (1ull << PT_PA_BITS)

struct pages {
    paddr_t start, end;
};

/* Usable memory only if all of a page is, anything else if a byte of it is.
 * Empty ranges have end <= start. */
static struct pages pages_of(const struct mem_range *r)
{
    if (r->size == 0 || r->base >= ADDRESSABLE)
        return (struct pages){0, 0};
    uint64_t room = ADDRESSABLE - r->base;
    paddr_t end = r->base + (r->size < room ? r->size : room);
    if (r->kind == MEM_FREE)
        return (struct pages){round_up(r->base, PAGE), round_down(end, PAGE)};
    return (struct pages){round_down(r->base, PAGE), round_up(end, PAGE)};
}

/* The kind of the page at `at`, and in *until how far that was looked at: the
 * nearest place behind it where any range begins or ends. */
static enum mem_kind kind_at(const struct boot_info *boot, paddr_t at,
                             paddr_t *until)
{
    assert(at < ADDRESSABLE);
    enum mem_kind kind = MEM_NONE;
    struct mem_range r;
    *until = at < DIRECT_END ? DIRECT_END : ADDRESSABLE;
    for (size_t i = 0; boot->range(boot, i, &r); i++) {
        struct pages p = pages_of(&r);
        if (p.end <= p.start || p.end <= at)
            continue;
        paddr_t edge = p.start > at ? p.start : p.end;
        if (edge < *until)
            *until = edge;
        if (p.start <= at && r.kind > kind)
            kind = r.kind;
    }
    return kind;
}

bool memmap_next(const struct boot_info *boot, paddr_t from,
                 struct mem_range *out)
{
    assert(is_aligned(from, PAGE));
    paddr_t at = from, end = from;
    enum mem_kind kind = MEM_NONE;
    for (; at < ADDRESSABLE; at = end) {
        kind = kind_at(boot, at, &end);
        if (kind != MEM_NONE)
            break;
    }
    if (at >= ADDRESSABLE)
        return false;
    for (paddr_t next; end < ADDRESSABLE && end != DIRECT_END; end = next)
        if (kind_at(boot, end, &next) != kind)
            break;
    *out = (struct mem_range){at, end - at, kind};
    return true;
}

const char *memmap_kind_name(enum mem_kind kind)
{
    static const char *const names[MEM_KINDS] = {
        [MEM_NONE] = "nothing",
        [MEM_FREE] = "usable",
        [MEM_INITRD] = "initial RAM disk",
        [MEM_BOOT] = "boot loader",
        [MEM_KERNEL] = "kernel",
        [MEM_FIRMWARE] = "firmware",
    };
    return kind < MEM_KINDS ? names[kind] : "?";
}
