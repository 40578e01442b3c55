/* A page map is a tree. An entry at level L is absent, a leaf that maps its
 * whole span, or points to a table of entries at level L-1. Formats differ in
 * the number of levels, the size of a table, where leaves may be and how
 * entries are coded; <arch/pte.h> says it all, and nothing here asks for more.
 *
 * Every change runs in four steps, so that it happens whole or not at all:
 *
 *   count    what tables does it need? Is it allowed at all? Changes nothing.
 *   reserve  allocate that many tables; the only step that may fail for memory.
 *   apply    walk again, and store. Grows tables, splits leaves, unlinks tables
 *            that went empty. Cannot fail.
 *   settle   make every CPU forget, and only then free what was unlinked.
 *
 * A split builds the table below a leaf with the same translation and rights,
 * publishes it with one store and flushes the leaf's size, before any part of
 * it changes: at no time does an address mean something else.
 *
 * Where maps share the kernel's root entries, those are never taken back, and
 * paging_pin makes those that will be needed before anybody shares them.
 */
#include "mm/paging_tree.h"
#include "mm/pmm.h"

#include <oct/assert.h>
#include <oct/errno.h>
#include <oct/mmu.h>
#include <oct/string.h>

static_assert(PT_MAX_LEAF < PT_LEVELS, "a leaf is at some level");
static_assert(sizeof(pte_t) << PT_INDEX_BITS == PAGE_SIZE, "a table is a page");

enum edit_kind { EDIT_MAP, EDIT_PROTECT, EDIT_UNMAP, EDIT_PIN };

/* Tables that nothing points to, linked through their first bytes. The link is
 * an aligned pointer, so a CPU that still looks there sees an absent entry. */
struct spare_table {
    struct spare_table *next;
};

struct edit {
    struct pagemap *map;
    enum edit_kind kind;
    paddr_t offset; /* EDIT_MAP: physical minus virtual address */
    unsigned prot;
    struct spare_table *reserved, *unlinked;
    size_t stride;  /* smallest span changed */
    unsigned flush; /* MMU_*: what changed */
};

/* --- what is allowed --- */

static bool is_shared(const struct pagemap *m, vaddr_t va, vaddr_t last)
{
    vaddr_t start = SHARED_START, size = SHARED_SIZE;
    return m != &kernel_map && size > 0 && va <= start + (size - 1) &&
           last >= start;
}

bool paging_range_valid(vaddr_t va, size_t len)
{
    vaddr_t last = va + len - 1;
    if (len == 0 || last < va)
        return false;
    if (!PT_SIGN_EXTENDED)
        return (uint64_t)last >> VA_BITS == 0;
    int64_t low = (int64_t)va >> (VA_BITS - 1);
    int64_t high = (int64_t)last >> (VA_BITS - 1);
    return low == high && (low == 0 || low == -1);
}

static bool range_allowed(const struct pagemap *m, vaddr_t va, size_t len)
{
    return is_aligned(va | len, PAGE_SIZE) && paging_range_valid(va, len) &&
           !is_shared(m, va, va + len - 1);
}

static bool physical_allowed(paddr_t pa, size_t len)
{
    return is_aligned(pa, PAGE_SIZE) && pa + (len - 1) >= pa &&
           (pa + (len - 1)) >> PT_PA_BITS == 0;
}

static bool prot_allowed(unsigned prot)
{
    return (prot & P_READ) && !(prot & ~(unsigned)P_ALL);
}

/* --- count --- */

/* Must the entry e at this level become a table for [va, last]? An absent one
 * when no leaf fits there, a leaf when only part of it changes. Pinning wants
 * tables below the root, nothing more. */
static bool needs_table(const struct edit *edit, pte_t e, unsigned level,
                        vaddr_t va, vaddr_t last)
{
    if (level == 0 || pte_is_table(e, level))
        return false;
    if (edit->kind == EDIT_PIN)
        return level == ROOT_LEVEL;
    bool whole = is_whole_entry(va, last, level);
    if (pte_present(e))
        return !whole;
    return edit->kind == EDIT_MAP &&
           !(whole && level <= PT_MAX_LEAF &&
             is_aligned(va + edit->offset, paging_span(level)));
}

static int count_pages(const struct edit *edit, const pte_t *slot, size_t n)
{
    if (edit->kind == EDIT_MAP)
        for (size_t i = 0; i < n; i++)
            if (pte_present(slot[i]))
                return -EEXIST;
    return 0;
}

/* Adds to *need the tables that [va, last] takes below `table`, which is not
 * there yet if NULL: then all of its entries will be like `all`. */
static int count(const struct edit *edit, const pte_t *table, pte_t all,
                 unsigned level, vaddr_t va, vaddr_t last, size_t *need)
{
    if (level == 0 && table)
        return count_pages(edit, &table[index_of(va, 0)],
                           ((last - va) >> PAGE_SHIFT) + 1);
    int error = 0;
    for (vaddr_t end; level > 0 && !error; va = end + 1) {
        end = entry_last(va, level) < last ? entry_last(va, level) : last;
        pte_t e = table ? table[index_of(va, level)] : all;
        const pte_t *below = NULL;
        if (pte_is_table(e, level))
            below = table_at(pte_addr(e));
        else if (pte_present(e) && edit->kind == EDIT_MAP)
            return -EEXIST;
        bool grows = needs_table(edit, e, level, va, end);
        *need += grows;
        if (below || grows)
            error = count(edit, below, e, level - 1, va, end, need);
        if (end == last)
            break;
    }
    return error;
}

/* --- reserve --- */

static void push(struct spare_table **list, void *table)
{
    struct spare_table *t = table;
    t->next = *list;
    *list = t;
}

static pte_t *pop(struct spare_table **list)
{
    assert(*list);
    struct spare_table *t = *list;
    *list = t->next;
    t->next = NULL;
    return (pte_t *)t;
}

static size_t free_tables(struct spare_table **list)
{
    size_t n = 0;
    for (; *list; n++)
        pmm_free(virt_to_phys(pop(list)));
    return n;
}

static int reserve(struct edit *edit, size_t need)
{
    assert(!edit->reserved);
    for (size_t i = 0; i < need; i++) {
        paddr_t pa = pmm_alloc();
        if (!pa) {
            free_tables(&edit->reserved);
            return -ENOMEM;
        }
        pmm_label(pa, 1, FRAME_TABLE);
        push(&edit->reserved, memset(phys_to_virt(pa), 0, PAGE_SIZE));
    }
    return 0;
}

/* --- apply --- */

static paddr_t flush_root(const struct pagemap *m)
{
    return m == &kernel_map ? 0 : m->root;
}

static void note(struct edit *edit, unsigned level, unsigned flush)
{
    edit->stride = min_size(edit->stride, paging_span(level));
    edit->flush |= flush;
}

/* Puts a table where an absent entry or a leaf is: what every address means
 * stays the same. */
static void put_table(struct edit *edit, pte_t *slot, unsigned level,
                      vaddr_t va)
{
    assert(level > 0 && !pte_is_table(*slot, level));
    pte_t *table = pop(&edit->reserved), old = *slot;
    if (pte_present(old))
        for (size_t i = 0; i < entry_count(level - 1); i++)
            pte_set(&table[i],
                    pte_leaf(pte_addr(old) + i * paging_span(level - 1),
                             pte_prot(old), level - 1),
                    level - 1);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    pte_set(slot, pte_table(virt_to_phys(table), level), level);
    edit->map->tables++;
    edit->flush |= MMU_TABLES;
    if (pte_present(old))
        mmu_flush(flush_root(edit->map), va & ~(paging_span(level) - 1),
                  paging_span(level), paging_span(level),
                  MMU_CHANGED | MMU_TABLES);
}

static bool is_empty(const pte_t *table, unsigned level)
{
    for (size_t i = 0; i < entry_count(level); i++)
        if (pte_present(table[i]))
            return false;
    return true;
}

static void drop_table_if_empty(struct edit *edit, pte_t *slot, unsigned level)
{
    pte_t *table = table_at(pte_addr(*slot));
    assert(edit->kind == EDIT_UNMAP && level > 0);
    if (is_pinned(edit->map, level) || !is_empty(table, level - 1))
        return;
    pte_set(slot, 0, level);
    push(&edit->unlinked, table);
    edit->flush |= MMU_TABLES;
}

/* Changes n entries in a row, which are no tables, the first of them for va. */
static void store(struct edit *edit, pte_t *slot, size_t n, unsigned level,
                  vaddr_t va)
{
    paddr_t pa = va + edit->offset;
    assert(level <= PT_MAX_LEAF || edit->kind == EDIT_PIN);
    if (edit->kind == EDIT_PIN)
        return;
    note(edit, level, edit->kind == EDIT_MAP ? MMU_ADDED : MMU_CHANGED);
    for (; n > 0; n--, slot++, pa += paging_span(level)) {
        if (edit->kind == EDIT_MAP)
            pte_set(slot, pte_leaf(pa, edit->prot, level), level);
        else if (!pte_present(*slot))
            continue;
        else if (edit->kind == EDIT_UNMAP)
            pte_set(slot, 0, level);
        else
            pte_set(slot, pte_leaf(pte_addr(*slot), edit->prot, level), level);
    }
}

static void apply(struct edit *edit, pte_t *table, unsigned level, vaddr_t va,
                  vaddr_t last)
{
    assert(va <= last && lock_held(&edit->map->lock));
    if (level == 0) {
        size_t n = ((last - va) >> PAGE_SHIFT) + 1;
        store(edit, &table[index_of(va, 0)], n, 0, va);
        return;
    }
    for (vaddr_t end;; va = end + 1) {
        pte_t *slot = &table[index_of(va, level)];
        end = entry_last(va, level) < last ? entry_last(va, level) : last;
        if (needs_table(edit, *slot, level, va, end))
            put_table(edit, slot, level, va);
        if (pte_is_table(*slot, level)) {
            apply(edit, table_at(pte_addr(*slot)), level - 1, va, end);
            if (edit->kind == EDIT_UNMAP)
                drop_table_if_empty(edit, slot, level);
        } else if (edit->kind == EDIT_MAP || pte_present(*slot)) {
            store(edit, slot, 1, level, va);
        }
        if (end == last)
            break;
    }
}

/* --- settle --- */

static void settle(struct edit *edit, vaddr_t va, size_t len)
{
    assert(lock_held(&edit->map->lock));
    if (edit->flush)
        mmu_flush(flush_root(edit->map), va, len, edit->stride, edit->flush);
    edit->map->tables -= free_tables(&edit->unlinked);
    assert(!edit->reserved);
}

static int run_edit(struct edit *edit, vaddr_t va, size_t len)
{
    struct pagemap *m = edit->map;
    vaddr_t last = va + len - 1;
    size_t need = 0;
    edit->stride = paging_span(ROOT_LEVEL);
    lock_acquire(&m->lock);
    assert(m->root);
    pte_t *root = table_at(m->root);
    int error = count(edit, root, 0, ROOT_LEVEL, va, last, &need);
    if (!error)
        error = reserve(edit, need);
    if (!error) {
        apply(edit, root, ROOT_LEVEL, va, last);
        settle(edit, va, len);
    }
    lock_release(&m->lock);
    return error;
}

int paging_map(struct pagemap *m, vaddr_t va, paddr_t pa, size_t len,
               unsigned prot)
{
    struct edit edit = {
        .map = m, .kind = EDIT_MAP, .offset = pa - va, .prot = prot};
    if (!range_allowed(m, va, len) || !physical_allowed(pa, len) ||
        !prot_allowed(prot))
        return -EINVAL;
    return run_edit(&edit, va, len);
}

int paging_unmap(struct pagemap *m, vaddr_t va, size_t len)
{
    struct edit edit = {.map = m, .kind = EDIT_UNMAP};
    if (!range_allowed(m, va, len))
        return -EINVAL;
    return run_edit(&edit, va, len);
}

int paging_protect(struct pagemap *m, vaddr_t va, size_t len, unsigned prot)
{
    struct edit edit = {.map = m, .kind = EDIT_PROTECT, .prot = prot};
    if (!range_allowed(m, va, len) || !prot_allowed(prot))
        return -EINVAL;
    return run_edit(&edit, va, len);
}

int paging_pin(struct pagemap *m, vaddr_t va, size_t len)
{
    struct edit edit = {.map = m, .kind = EDIT_PIN};
    if (!range_allowed(m, va, len))
        return -EINVAL;
    return SHARED_SIZE > 0 ? run_edit(&edit, va, len) : 0;
}
