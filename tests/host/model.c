#include "model.h"

#include <string.h>

static struct model_page *pages_of(struct model *m, const struct model_range *r)
{
    return &m->map[r->map].page[r->window][r->page];
}

bool model_mapped(const struct model *m, const struct model_range *r)
{
    const struct model_page *p = m->map[r->map].page[r->window];
    for (size_t i = 0; i < r->count; i++)
        if (p[r->page + i].prot)
            return true;
    return false;
}

static size_t span_pages(const struct soft_mmu *mmu, unsigned level)
{
    return soft_span(mmu, level) / 4096;
}

/* The largest leaf that fits where `left` pages from va to pa remain. */
static unsigned best_level(const struct soft_mmu *mmu, uint64_t va, uint64_t pa,
                           size_t left)
{
    unsigned level = mmu->leaf_levels - 1;
    while (level > 0 && ((va | pa) % soft_span(mmu, level) != 0 ||
                         left < span_pages(mmu, level)))
        level--;
    return level;
}

static void set_levels(const struct format_ops *f, uint8_t *level,
                       const struct model_range *r, uint64_t pa)
{
    uint64_t va = f->window[r->window];
    for (size_t i = r->page, end = r->page + r->count, n; i < end; i += n) {
        unsigned best = best_level(f->mmu, va + i * 4096,
                                   pa + (i - r->page) * 4096, end - i);
        n = span_pages(f->mmu, best);
        memset(&level[i], (int)best, n);
    }
}

/* No leaf may reach across the boundary before `page`. Windows are aligned to
 * every leaf that fits into them, so page numbers show where a leaf begins. */
static void split_at(const struct format_ops *f, uint8_t *level,
                     const struct model_page *pages, size_t page)
{
    while (page < MODEL_PAGES && pages[page].prot && level[page] > 0) {
        size_t n = span_pages(f->mmu, level[page]);
        if (page % n == 0)
            return;
        memset(&level[page - page % n], level[page] - 1, n);
    }
}

static void split_ends(struct model *m, const struct model_range *r)
{
    struct model_map *map = &m->map[r->map];
    for (size_t f = 0; f < m->format_count; f++) {
        uint8_t *level = map->level[f][r->window];
        const struct model_page *pages = map->page[r->window];
        split_at(m->formats[f], level, pages, r->page);
        split_at(m->formats[f], level, pages, r->page + r->count);
    }
}

void model_map(struct model *m, const struct model_range *r, uint64_t pa,
               unsigned prot)
{
    struct model_page *p = pages_of(m, r);
    for (size_t i = 0; i < r->count; i++)
        p[i] = (struct model_page){pa + i * 4096, (uint8_t)prot};
    for (size_t f = 0; f < m->format_count; f++)
        set_levels(m->formats[f], m->map[r->map].level[f][r->window], r, pa);
}

void model_unmap(struct model *m, const struct model_range *r)
{
    split_ends(m, r);
    memset(pages_of(m, r), 0, r->count * sizeof(struct model_page));
}

void model_protect(struct model *m, const struct model_range *r, unsigned prot)
{
    struct model_page *p = pages_of(m, r);
    split_ends(m, r);
    for (size_t i = 0; i < r->count; i++)
        if (p[i].prot)
            p[i].prot = (uint8_t)prot;
}

/* --- counting tables --- */

struct spans {
    uint64_t seen[FORMAT_WINDOWS * MODEL_PAGES];
    size_t count;
};

/* Windows lie in order nowhere, so look back a little: pages come in order and
 * there are few spans above a window. */
static void add_span(struct spans *s, uint64_t span)
{
    for (size_t i = s->count; i-- > 0;)
        if (s->seen[i] == span)
            return;
    s->seen[s->count++] = span;
}

static size_t tables_at(const struct model *m, size_t f,
                        const struct model_map *map, unsigned level)
{
    static struct spans spans;
    const struct format_ops *ops = m->formats[f];
    spans.count = 0;
    for (unsigned w = 0; w < FORMAT_WINDOWS; w++)
        for (size_t i = 0; i < MODEL_PAGES; i++)
            if (map->page[w][i].prot && map->level[f][w][i] <= level)
                add_span(&spans, (ops->window[w] + i * 4096) /
                                     soft_span(ops->mmu, level + 1));
    return spans.count;
}

size_t model_tables(const struct model *m, size_t f, unsigned map)
{
    size_t n = 1;
    for (unsigned level = 0; level < m->formats[f]->mmu->levels - 1; level++)
        n += tables_at(m, f, &m->map[map], level);
    return n;
}

/* --- comparing --- */

static const char *compare_hole(const struct format_found *walker,
                                const struct soft_walk *cpu)
{
    if (walker->present)
        return "walker: a page where none should be";
    if (walker->pa || walker->prot)
        return "walker: a hole with an address or rights";
    if (cpu->fault != SOFT_ABSENT)
        return "MMU: a page, or a bad entry, where none should be";
    return NULL;
}

static const char *compare_page(const struct format_ops *f,
                                const struct model_page *page, unsigned level,
                                const struct format_found *walker,
                                const struct soft_walk *cpu)
{
    struct soft_walk want = {0};
    f->mmu->expect(page->prot, &want);
    if (!walker->present)
        return "walker: no page where one should be";
    if (walker->pa != page->pa)
        return "walker: another frame";
    if (walker->prot != f->effective(page->prot))
        return "walker: other rights";
    if (walker->level != level)
        return "walker: a leaf of another size than fits";
    if (cpu->fault != SOFT_OK)
        return "MMU: fault where a page should be";
    if (cpu->pa != page->pa)
        return "MMU: another frame";
    if (memcmp(cpu->may, want.may, sizeof(want.may)))
        return "MMU: other rights";
    if (cpu->global != want.global || cpu->type != want.type)
        return "MMU: global or the memory type is wrong";
    return cpu->wants_update ? "MMU: accessed or dirty was left clear" : NULL;
}

/* All n pages continue what the first says. */
static bool is_uniform(const struct model_page *page, const uint8_t *level,
                       size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (page[i].prot != page[0].prot ||
            (page[0].prot &&
             (page[i].pa != page[0].pa + i * 4096 || level[i] != level[0])))
            return false;
    return true;
}

static const char *compare_entry(const struct format_ops *f,
                                 const struct model_page *page,
                                 const uint8_t *level, uint64_t va, size_t n,
                                 const struct format_found *walker,
                                 const struct soft_walk *cpu)
{
    if (walker->va != cpu->va || walker->len != cpu->span ||
        walker->level != cpu->level)
        return "the walker and the MMU stop at different entries";
    if (!is_uniform(page, level, n))
        return "one entry stands for pages that differ";
    if (!page->prot)
        return compare_hole(walker, cpu);
    if (walker->va != va)
        return "a leaf begins before it should";
    return compare_page(f, page, *level, walker, cpu);
}

static const char *compare_window(const struct model *m, size_t f, unsigned map,
                                  unsigned w)
{
    const struct format_ops *ops = m->formats[f];
    const char *wrong = NULL;
    for (size_t i = 0, n; i < MODEL_PAGES && !wrong; i += n) {
        uint64_t va = ops->window[w] + i * 4096;
        struct format_found walker = ops->query(map, va);
        struct soft_walk cpu = ops->translate(map, va);
        n = (walker.va + walker.len - va) / 4096;
        if (n == 0 || n > MODEL_PAGES - i)
            n = MODEL_PAGES - i;
        wrong =
            compare_entry(ops, &m->map[map].page[w][i],
                          &m->map[map].level[f][w][i], va, n, &walker, &cpu);
    }
    return wrong;
}

const char *model_compare(const struct model *m, size_t f, unsigned map)
{
    const char *wrong = NULL;
    for (unsigned w = 0; w < FORMAT_WINDOWS && !wrong; w++)
        wrong = compare_window(m, f, map, w);
    return wrong;
}
