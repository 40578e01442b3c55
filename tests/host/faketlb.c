/* How weak a flush is, by machine:
 *
 *   x86    INVLPG at each `stride` bytes forgets the leaf there, of whatever
 *          size, and the tables on the way to it (SDM 4.10.4.1). Holes are
 *          never cached (4.10.2.3), except in the PAE root: its four entries
 *          are registers, read when CR3 is loaded (4.4.1), which mmu_flush
 *          does when it is told MMU_TABLES.
 *   RISC-V SFENCE.VMA with an address orders leaves only; the tables on the way
 *          need the form for all addresses: MMU_TABLES. Holes may be cached.
 */
#include "faketlb.h"
#include "env.h"

#include <stdlib.h>
#include <string.h>

#include <oct/assert.h>
#include <oct/mmu.h>

const struct soft_mmu *const host_mmu = &HOST_SOFT;

enum entry_kind { LEAF, HOLE, TABLE };

struct entry {
    enum entry_kind kind;
    bool latched; /* in a register of the PAE root */
    unsigned level;
    paddr_t root;
    vaddr_t va;            /* what it decides about: */
    uint64_t span;         /* so many bytes */
    paddr_t table;         /* TABLE: where it points to */
    struct soft_walk walk; /* LEAF: the translation */
};

static struct entry *entries;
static size_t entry_count, entry_room;

static void remember(const struct entry *e)
{
    if (entry_count == entry_room) {
        entry_room = entry_room ? 2 * entry_room : 256;
        entries = realloc(entries, entry_room * sizeof(*entries));
        assert(entries);
    }
    entries[entry_count++] = *e;
}

static struct soft_walk look(paddr_t root, vaddr_t va)
{
    return soft_translate(host_mmu, host_view, root, va);
}

static bool is_root_level(unsigned level)
{
    return level == host_mmu->levels - 1;
}

static void remember_tables(paddr_t root, const struct soft_walk *w,
                            vaddr_t from)
{
    for (unsigned i = 1; i < w->depth; i++) {
        unsigned level = host_mmu->levels - i;
        uint64_t span = soft_span(host_mmu, level);
        vaddr_t start = w->va & ~(span - 1);
        if (start != w->va && w->va != from)
            continue; /* remembered with the first page below it */
        remember(&(struct entry){
            .kind = TABLE,
            .latched = host_mmu->root_latched && is_root_level(level),
            .level = level,
            .root = root,
            .va = start,
            .span = span,
            .table = w->table[i],
        });
    }
}

void tlb_fill(paddr_t root, vaddr_t va, vaddr_t last)
{
    vaddr_t from = look(root, va).va;
    for (vaddr_t at = va; at <= last;) {
        struct soft_walk w = look(root, at);
        bool hole = w.fault != SOFT_OK;
        bool latched = host_mmu->root_latched && is_root_level(w.level);
        if (w.fault == SOFT_NONCANONICAL)
            return;
        remember_tables(root, &w, from);
        if (!hole || latched || host_mmu->caches_absent)
            remember(&(struct entry){
                .kind = hole ? HOLE : LEAF,
                .latched = latched,
                .level = w.level,
                .root = root,
                .va = w.va,
                .span = w.span,
                .walk = w,
            });
        at = w.va + w.span;
        if (at == 0)
            return;
    }
}

static void keep_only(bool (*keep)(const struct entry *, const void *),
                      const void *argument)
{
    size_t kept = 0;
    for (size_t i = 0; i < entry_count; i++)
        if (keep(&entries[i], argument))
            entries[kept++] = entries[i];
    entry_count = kept;
}

static bool has_other_root(const struct entry *e, const void *root)
{
    return e->root != *(const paddr_t *)root;
}

void tlb_forget(paddr_t root)
{
    keep_only(has_other_root, &root);
}

struct flush {
    paddr_t root;
    vaddr_t va;
    size_t len, stride;
    unsigned what;
};

/* Is one of the addresses va, va + stride, ... within the range also within
 * the entry's span? */
static bool is_named(const struct flush *f, const struct entry *e)
{
    vaddr_t last = f->va + (f->len - 1), entry_last = e->va + (e->span - 1);
    uint64_t skipped = 0;
    if (e->va > last || entry_last < f->va)
        return false;
    if (e->va > f->va)
        skipped = (e->va - f->va + f->stride - 1) / f->stride * f->stride;
    vaddr_t named = f->va + skipped;
    return named >= f->va && named <= last && named <= entry_last;
}

static bool drops(const struct flush *f, const struct entry *e)
{
    if (e->latched)
        return f->what & MMU_TABLES;
    if (e->kind == TABLE && !host_mmu->upper_with_leaf)
        return f->what & MMU_TABLES && is_named(f, e);
    if (e->kind == HOLE)
        return f->what & (MMU_ADDED | MMU_CHANGED) && is_named(f, e);
    if (e->kind == LEAF)
        return f->what & MMU_CHANGED && is_named(f, e);
    return f->what & (MMU_CHANGED | MMU_TABLES) && is_named(f, e);
}

static bool survives(const struct entry *e, const void *argument)
{
    const struct flush *f = argument;
    return (f->root && e->root != f->root) || !drops(f, e);
}

void tlb_flush(paddr_t root, vaddr_t va, size_t len, size_t stride,
               unsigned what)
{
    struct flush f = {root, va, len, stride, what};
    assert(len > 0 && is_power_of_two(stride) && stride >= 4096 && what);
    keep_only(survives, &f);
}

/* --- checking --- */

static const char *check_table(const struct entry *e)
{
    struct soft_walk now = look(e->root, e->va);
    unsigned i = host_mmu->levels - e->level;
    if (now.depth <= i || now.table[i] != e->table)
        return "tlb: a table that went away is still walked through";
    return NULL;
}

/* Is what memory says now about a part of the entry's span what the entry says
 * about it? */
static const char *check_part(const struct entry *e,
                              const struct soft_walk *now)
{
    if (e->kind == HOLE)
        return now->fault != SOFT_OK ? NULL : "tlb: a hole is still remembered";
    if (now->fault != SOFT_OK)
        return "tlb: a page that went away is still reachable";
    if (now->pa - now->va != e->walk.pa - e->walk.va)
        return "tlb: a page is still reachable where it was";
    if (memcmp(now->may, e->walk.may, sizeof(now->may)) ||
        now->type != e->walk.type || now->global != e->walk.global)
        return "tlb: a page still has the rights it had";
    return NULL;
}

struct range {
    vaddr_t va, last;
};

static bool is_within(const struct range *r, const struct soft_walk *w)
{
    return r && w->va <= r->last && w->va + (w->span - 1) >= r->va;
}

static const char *check_entry(const struct entry *e, const struct range *skip)
{
    const char *wrong = NULL;
    vaddr_t at = e->va, last = e->va + (e->span - 1);
    if (e->kind == TABLE)
        return skip ? NULL : check_table(e);
    while (!wrong) {
        struct soft_walk now = look(e->root, at);
        if (!is_within(skip, &now))
            wrong = check_part(e, &now);
        if (now.span > last - now.va)
            break;
        at = now.va + now.span;
    }
    return wrong;
}

static const char *check_entries(const struct range *skip)
{
    const char *wrong = NULL;
    for (size_t i = 0; i < entry_count && !wrong; i++)
        wrong = check_entry(&entries[i], skip);
    return wrong;
}

const char *tlb_check(void)
{
    return check_entries(NULL);
}

const char *tlb_check_outside(vaddr_t va, vaddr_t last)
{
    return check_entries(&(struct range){va, last});
}

bool tlb_uses_table(paddr_t frame)
{
    for (size_t i = 0; i < entry_count; i++)
        if (entries[i].kind == TABLE && entries[i].table == frame)
            return true;
    return false;
}

size_t tlb_size(void)
{
    return entry_count;
}
