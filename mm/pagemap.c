/* Page maps as wholes: making, destroying, looking at and checking them. */
#include "mm/paging_tree.h"
#include "mm/pmm.h"

#include <oct/assert.h>
#include <oct/errno.h>
#include <oct/string.h>

struct pagemap kernel_map;

/* Root entries [first, first + n) belong to the kernel and are shared. */
static size_t shared_first(void)
{
    return index_of(SHARED_START, ROOT_LEVEL);
}

static size_t shared_count(const struct pagemap *m)
{
    return m == &kernel_map ? 0 : SHARED_SIZE / paging_span(ROOT_LEVEL);
}

int paging_create(struct pagemap *m)
{
    paddr_t pa = pmm_alloc();
    if (!pa)
        return -ENOMEM;
    pmm_label(pa, 1, FRAME_TABLE);
    memset(table_at(pa), 0, PAGE_SIZE);
    *m = (struct pagemap){.root = pa, .tables = 1};
    if (shared_count(m) > 0)
        memcpy(table_at(pa) + shared_first(),
               table_at(kernel_map.root) + shared_first(),
               shared_count(m) * sizeof(pte_t));
    return 0;
}

static bool is_shared_entry(const struct pagemap *m, unsigned level, size_t i)
{
    return level == ROOT_LEVEL && i >= shared_first() &&
           i - shared_first() < shared_count(m);
}

static void free_tree(struct pagemap *m, paddr_t table, unsigned level)
{
    assert(pmm_kind(table) == FRAME_TABLE && m->tables > 0);
    for (size_t i = 0; level > 0 && i < entry_count(level); i++) {
        pte_t e = table_at(table)[i];
        if (pte_is_table(e, level) && !is_shared_entry(m, level, i))
            free_tree(m, pte_addr(e), level - 1);
    }
    pmm_free(table);
    m->tables--;
}

void paging_destroy(struct pagemap *m)
{
    assert(m != &kernel_map && m->root);
    free_tree(m, m->root, ROOT_LEVEL);
    assert(m->tables == 0);
    m->root = 0;
}

/* All addresses that the format cannot express, as one hole. Where it repeats
 * the highest bit they lie between two halves, elsewhere behind the last. */
static struct mapping gap(void)
{
    uint64_t start = 1ull << (VA_BITS - PT_SIGN_EXTENDED);
    uint64_t len = 0 - (1ull << VA_BITS);
    return (struct mapping){
        .level = ROOT_LEVEL, .va = (vaddr_t)start, .len = (size_t)len};
}

struct mapping paging_query(struct pagemap *m, vaddr_t va)
{
    if (!paging_range_valid(va, 1))
        return gap();
    lock_acquire(&m->lock);
    struct place at = walk(m, va);
    pte_t e = *at.slot;
    lock_release(&m->lock);
    struct mapping found = {
        .present = pte_present(e),
        .level = at.level,
        .va = va & ~(paging_span(at.level) - 1),
        .len = paging_span(at.level),
    };
    if (found.present) {
        found.pa = pte_addr(e);
        found.prot = pte_prot(e);
    }
    return found;
}

unsigned paging_path(struct pagemap *m, vaddr_t va, struct pt_step *steps)
{
    unsigned n = 0;
    assert(m->root);
    lock_acquire(&m->lock);
    paddr_t table = m->root;
    for (unsigned level = ROOT_LEVEL;; level--) {
        size_t i = index_of(va, level);
        pte_t e = table_at(table)[i];
        steps[n++] = (struct pt_step){level, (unsigned)i, table, e};
        if (!pte_is_table(e, level))
            break;
        table = pte_addr(e);
    }
    lock_release(&m->lock);
    return n;
}

/* --- checking --- */

static const char *check_leaf(pte_t e, unsigned level)
{
    if (level > PT_MAX_LEAF)
        return "paging: a leaf where the format has none";
    if (!is_aligned(pte_addr(e), paging_span(level)))
        return "paging: a large page is not aligned to its size";
    if (!(pte_prot(e) & P_READ))
        return "paging: a page that cannot be read";
    return NULL;
}

static const char *check_tree(struct pagemap *m, paddr_t table, unsigned level,
                              size_t *tables)
{
    const char *wrong = NULL;
    bool empty = true;
    if (pmm_kind(table) != FRAME_TABLE)
        return "paging: a table lies in a frame that is not one";
    ++*tables;
    for (size_t i = 0; i < entry_count(level) && !wrong; i++) {
        pte_t e = table_at(table)[i];
        if (!pte_present(e) || is_shared_entry(m, level, i))
            continue;
        empty = false;
        wrong = pte_is_table(e, level)
                    ? check_tree(m, pte_addr(e), level - 1, tables)
                    : check_leaf(e, level);
    }
    bool may_be_empty =
        level == ROOT_LEVEL || (m == &kernel_map && level == ROOT_LEVEL - 1);
    if (empty && !may_be_empty && !wrong)
        return "paging: an empty table was kept";
    return wrong;
}

/* Not bit by bit: each map's CPU sets accessed and dirty in its own copy. */
static bool same_entry(pte_t a, pte_t b)
{
    return pte_present(a) == pte_present(b) &&
           (!pte_present(a) ||
            (pte_addr(a) == pte_addr(b) && pte_prot(a) == pte_prot(b) &&
             pte_is_table(a, ROOT_LEVEL) == pte_is_table(b, ROOT_LEVEL)));
}

static const char *check_shared(const struct pagemap *m)
{
    assert(m != &kernel_map && lock_held(&m->lock));
    const pte_t *own = table_at(m->root) + shared_first();
    const pte_t *kernel = table_at(kernel_map.root) + shared_first();
    for (size_t i = 0; i < shared_count(m); i++)
        if (!same_entry(own[i], kernel[i]))
            return "paging: a map's kernel part is not the kernel's";
    return NULL;
}

const char *paging_check(struct pagemap *m)
{
    size_t tables = 0;
    lock_acquire(&m->lock);
    const char *wrong = check_tree(m, m->root, ROOT_LEVEL, &tables);
    if (!wrong && tables != m->tables)
        wrong = "paging: the count of tables is wrong";
    if (!wrong && shared_count(m) > 0)
        wrong = check_shared(m);
    lock_release(&m->lock);
    return wrong;
}
