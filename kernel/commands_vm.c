/* The kernel's own page table: all of it, or the way to one address. */
#include "kernel/address.h"
#include "kernel/command.h"
#include "kernel/console.h"
#include "mm/paging.h"

#include <oct/print.h>

#define ADDRESS_DIGITS (sizeof(vaddr_t) == 4 ? 8 : 12)
#define ENTRY_DIGITS ((int)(2 * sizeof(pte_t)))

/* Neighbouring leaves with the same rights, physically in a row too. */
struct run {
    struct mapping first;
    vaddr_t last; /* byte: the end may be the end of the space */
    size_t leaves[PT_LEVELS];
};

static bool goes_on(const struct run *r, const struct mapping *m)
{
    return r->first.present && m->present && m->va == r->last + 1 &&
           m->prot == r->first.prot &&
           m->pa - r->first.pa == m->va - r->first.va;
}

static void print_leaves(const struct run *r)
{
    for (unsigned level = 0; level < PT_LEVELS; level++) {
        unsigned long long kib = paging_span(level) / KiB;
        const char *unit = "KMGT";
        for (; kib >= 1024; kib /= 1024)
            unit++;
        if (r->leaves[level])
            kprintf(" %zux%llu%c", r->leaves[level], kib, *unit);
    }
}

static void print_run(const struct run *r)
{
    if (!r->first.present)
        return;
    uint64_t size = (uint64_t)(r->last - r->first.va) + 1;
    kprintf("  %0*lx  %0*lx %9s  %s  %0*llx ", ADDRESS_DIGITS,
            (unsigned long)r->first.va, ADDRESS_DIGITS, (unsigned long)r->last,
            size_text(size).text, rights_text(r->first.prot).text,
            ADDRESS_DIGITS, r->first.pa);
    print_leaves(r);
    kprintf("\n");
}

/* Where addresses are sign extended the ones in the middle do not exist: the
 * upper half begins at minus the end of the lower one. 0: that was all. */
static vaddr_t address_after(const struct mapping *m)
{
    vaddr_t next = m->va + m->len;
    return next == 0 || paging_range_valid(next, 1) ? next : -next;
}

static void print_map(void)
{
    struct run run = {0};
    vaddr_t va = 0;
    kprintf(BOLD "  %-*s  %-*s %9s  %s  %-*s  %s" PLAIN "\n", ADDRESS_DIGITS,
            "from", ADDRESS_DIGITS, "to", "size", "rights", ADDRESS_DIGITS,
            "physical", "leaves");
    do {
        struct mapping m = paging_query(&kernel_map, va);
        if (!goes_on(&run, &m)) {
            print_run(&run);
            run = (struct run){.first = m};
        }
        run.last = m.va + m.len - 1;
        run.leaves[m.level]++;
        va = address_after(&m);
    } while (va != 0);
    print_run(&run);
    kprintf("\n  rights: read write execute user global device; %zu tables\n",
            kernel_map.tables);
}

static void print_entry(const struct pt_step *step)
{
    pte_t e = (pte_t)step->entry;
    if (!pte_present(e))
        kprintf("nothing");
    else if (pte_is_table(e, step->level))
        kprintf("table 0x%08llx", pte_addr(e));
    else
        kprintf("%s page 0x%08llx %s", size_text(paging_span(step->level)).text,
                pte_addr(e), rights_text(pte_prot(e)).text);
}

static void explain(vaddr_t va)
{
    struct pt_step steps[PT_LEVELS];
    kprintf("0x%08lx: %s\n", (unsigned long)va, address_owner(va));
    unsigned n = paging_path(&kernel_map, va, steps);
    for (unsigned i = 0; i < n; i++) {
        kprintf("  level %u  0x%08llx[%u]%*s= 0x%0*llx  ", steps[i].level,
                steps[i].table, steps[i].index,
                1 + (steps[i].index < 10) + (steps[i].index < 100) +
                    (steps[i].index < 1000),
                "", ENTRY_DIGITS, steps[i].entry);
        print_entry(&steps[i]);
        kprintf("\n");
    }
    struct mapping m = paging_query(&kernel_map, va);
    if (m.present)
        kprintf("  physical 0x%08llx\n", m.pa + (va - m.va));
    else
        kprintf("  not mapped\n");
}

COMMAND(vm, "[ADDRESS]", "shows the kernel's page table, or one way in it")
{
    size_t va;
    if (argc == 1) {
        print_map();
        return true;
    }
    if (argc > 2 || !command_number(argv[1], &va))
        return false;
    if (paging_range_valid(va, 1))
        explain(va);
    else
        kprintf("No table of this format reaches 0x%08lx.\n",
                (unsigned long)va);
    return true;
}
