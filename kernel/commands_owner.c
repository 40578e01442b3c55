/* Whose an address is, and whether all of memory has an owner. */
#include "kernel/address.h"
#include "kernel/audit.h"
#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/symbols.h"
#include "kernel/tables.h"
#include "mm/kdebug.h"
#include "mm/paging.h"
#include "mm/slab.h"
#include "mm/vmap.h"

#include <oct/image.h>
#include <oct/kview.h>
#include <oct/print.h>
#include <oct/string.h>

/* --- objects --- */

struct search {
    const char *p;
    struct kdebug_object found; /* the object that p is in, if its p is not 0 */
};

static void compare(void *context, const struct kdebug_object *o)
{
    struct search *s = context;
    const char *start = o->p;
    if (s->p >= start && s->p < start + o->room)
        s->found = *o;
}

static void print_object(const struct kdebug_object *o, const char *p)
{
    kprintf(
        "  heap object at %p, %zu bytes%s; this is byte %zu%s\n", o->p, o->size,
        o->recorded ? "" : " (or fewer)", (size_t)(p - (const char *)o->p),
        (size_t)(p - (const char *)o->p) < o->size ? "" : ", behind its end");
    if (o->recorded)
        kprintf("  number %lu, allocated by %s\n", o->sequence,
                o->allocated_by ? symbol_text(o->allocated_by).text
                                : "somebody; \"kdebug owner\" records whom");
    if (o->freed_by)
        kprintf("  in quarantine, freed by %s\n",
                symbol_text(o->freed_by).text);
}

static bool explain_object(const char *p)
{
    struct search s = {.p = p};
    kdebug_each(compare, &s);
    if (s.found.p)
        print_object(&s.found, p);
    return s.found.p;
}

static void explain_slab(const char *p)
{
    struct slab_object o = kmem_cache_find(p);
    struct slab_stats stats;
    if (!o.cache)
        return;
    kmem_cache_stats(o.cache, &stats);
    kprintf("  cache %s, objects of %zu bytes: ", stats.name, stats.size);
    const char *dead = o.start ? kmem_cache_find(o.start).refused : NULL;
    if (o.start)
        kprintf("byte %zu of the one at %p, %s\n",
                (size_t)(p - (const char *)o.start), o.start,
                dead ? dead : "live");
    else
        kprintf("%s\n", o.refused);
}

static void explain_heap(const char *p)
{
    if (!explain_object(p))
        kprintf("  in no live object of the heap\n");
    explain_slab(p);
}

/* --- frames --- */

static bool print_stop(void *context, const struct table_stop *s)
{
    paddr_t pa = *(const paddr_t *)context, page = round_down(pa, PAGE_SIZE);
    unsigned long va = s->va;
    if (s->is_table && s->pa == page)
        kprintf("  the kernel's table of level %u for 0x%lx and up\n", s->level,
                va);
    bool in_leaf =
        !s->is_table && pa >= s->pa && pa - s->pa < paging_span(s->level);
    if (in_leaf && s->va >= WINDOW_START && s->va < WINDOW_END)
        kprintf("  mapped in the windows at 0x%lx\n",
                va + (unsigned long)(pa - s->pa));
    return true;
}

static void explain_frame(paddr_t pa)
{
    enum frame_kind kind = pmm_kind(pa);
    int owners = pmm_refs(pa);
    kprintf("  frame 0x%llx: %s", round_down(pa, PAGE_SIZE),
            pmm_kind_name(kind));
    if (owners > 1)
        kprintf(", %d owners", owners);
    kprintf("\n");
    tables_visit(print_stop, &pa);
    if (kind == FRAME_HEAP || kind == FRAME_SLAB)
        explain_heap(phys_to_virt(pa));
}

/* --- virtual addresses --- */

static void explain_window(vaddr_t va)
{
    static const char *const kinds[] = {
        [VMAP_PAGES] = "vmap",
        [VMAP_IO] = "ioremap",
        [VMAP_ALLOC] = "vmalloc",
    };
    struct vmap_area area = vmap_find(va);
    if (area.kind == VMAP_NONE) {
        kprintf("  in no area\n");
        return;
    }
    kprintf("  %s area at 0x%lx, %zu pages; this is ", kinds[area.kind],
            (unsigned long)area.va, area.pages);
    if (va - area.va < area.pages * PAGE_SIZE)
        kprintf("byte %zu\n", (size_t)(va - area.va));
    else
        kprintf("the guard page behind it\n");
}

static void explain_virtual(vaddr_t va)
{
    size_t offset;
    const char *name = symbol_find(va, &offset);
    kprintf("0x%08lx as virtual address: %s, %s\n", (unsigned long)va,
            address_owner(va), address_rights(va).text);
    if (name)
        kprintf("  %s+0x%zx\n", name, offset);
    if (va >= WINDOW_START && va < WINDOW_END)
        explain_window(va);
    struct mapping m = paging_query(&kernel_map, va);
    if (m.present && m.pa + (va - m.va) != va)
        explain_frame(m.pa + (va - m.va));
}

static void explain_physical(paddr_t pa)
{
    kprintf("0x%08llx as physical address:%s\n", pa,
            pmm_kind(pa) == FRAME_NONE ? " no RAM" : "");
    if (pmm_kind(pa) != FRAME_NONE)
        explain_frame(pa);
}

COMMAND(who, "ADDRESS", "says what an address belongs to")
{
    unsigned long long n;
    if (argc != 2 || !parse_number(argv[1], &n))
        return false;
    if (n <= UINTPTR_MAX && paging_range_valid((vaddr_t)n, 1))
        explain_virtual((vaddr_t)n);
    if (n >> PT_PA_BITS == 0)
        explain_physical(n);
    return true;
}

/* --- the audit --- */

COMMAND(audit, "", "looks for the owner of every frame")
{
    struct audit a;
    if (argc > 1)
        return false;
    const char *wrong = audit_count(&a);
    kprintf(BOLD "  %-18s %10s %10s  %s" PLAIN "\n", "label", "frames", "owned",
            "according to");
    for (int k = FRAME_FREE; k < FRAME_KINDS; k++) {
        const char *witness = audit_witness((enum frame_kind)k);
        if (k != FRAME_NONE && (a.labelled[k] || a.explained[k]))
            kprintf("  %-18s %10zu %10zu  %s\n",
                    pmm_kind_name((enum frame_kind)k), a.labelled[k],
                    a.explained[k], witness ? witness : "the label alone");
    }
    kprintf("  %s%s" PLAIN "\n", wrong ? RED : GREEN,
            wrong ? wrong : "every frame is free or has one owner");
    return true;
}
