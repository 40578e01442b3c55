#include "softmmu.h"

#include <string.h>

#define TOO_MANY_TABLES 100000

static uint64_t load(const struct soft_mmu *mmu, const void *p)
{
    uint64_t entry = 0;
    memcpy(&entry, p, mmu->entry_bytes); /* the host is little endian too */
    return entry;
}

static bool canonical(const struct soft_mmu *mmu, uint64_t va)
{
    uint64_t above = va >> (mmu->va_bits - mmu->sign_extended);
    uint64_t ones = ~0ull >> (mmu->va_bits - mmu->sign_extended);
    return above == 0 || (mmu->sign_extended && above == ones);
}

static unsigned index_of(const struct soft_mmu *mmu, uint64_t va,
                         unsigned level)
{
    unsigned bits = level == mmu->levels - 1 ? mmu->root_bits : mmu->index_bits;
    return va >> (12 + level * mmu->index_bits) & ((1u << bits) - 1);
}

static void allow_everything(struct soft_walk *w)
{
    memset(w->may, true, sizeof(w->may));
}

static void check_frame(const struct soft_mmu *mmu, struct soft_walk *w)
{
    if (w->fault == SOFT_OK && w->pa % soft_span(mmu, w->level) != 0)
        w->fault = SOFT_MISALIGNED;
}

struct soft_walk soft_translate(const struct soft_mmu *mmu, soft_view *view,
                                uint64_t root, uint64_t va)
{
    struct soft_walk w = {.va = va, .pa = root, .level = mmu->levels};
    bool is_table = true;
    allow_everything(&w);
    if (!canonical(mmu, va))
        w.fault = SOFT_NONCANONICAL;
    while (w.fault == SOFT_OK && is_table) {
        w.level--;
        w.span = soft_span(mmu, w.level);
        w.va = va & ~(w.span - 1);
        w.table[w.depth++] = w.pa;
        uint64_t at = w.pa + index_of(mmu, va, w.level) * mmu->entry_bytes;
        const void *entry = view(at, mmu->entry_bytes);
        if (!entry) {
            w.fault = SOFT_BUS;
            break;
        }
        is_table = false;
        mmu->decode(mmu, load(mmu, entry), &w, &is_table);
    }
    if (!is_table)
        check_frame(mmu, &w);
    if (w.fault != SOFT_OK) {
        w.pa = 0;
        memset(w.may, false, sizeof(w.may));
    }
    return w;
}

struct survey {
    const struct soft_mmu *mmu;
    soft_view *view;
    uint64_t from, last;
    struct soft_tree out;
};

static void mix(struct survey *s, uint64_t value)
{
    s->out.digest = (s->out.digest ^ value) * 0x100000001b3ull;
    s->out.digest ^= s->out.digest >> 29;
}

static void survey_table(struct survey *s, uint64_t table, unsigned level,
                         uint64_t va);

static void survey_entry(struct survey *s, uint64_t entry, unsigned level,
                         uint64_t va)
{
    struct soft_walk w = {.level = level};
    bool is_table = false;
    s->mmu->decode(s->mmu, entry, &w, &is_table);
    if (w.fault == SOFT_ABSENT)
        s->out.dirty = true;
    else if (is_table && level > 0)
        survey_table(s, w.pa, level - 1, va);
    else
        s->out.leaves++;
}

static void survey_table(struct survey *s, uint64_t table, unsigned level,
                         uint64_t va)
{
    const struct soft_mmu *mmu = s->mmu;
    size_t entries =
        1ul << (level == mmu->levels - 1 ? mmu->root_bits : mmu->index_bits);
    const char *view = s->view(table, entries * mmu->entry_bytes);
    if (!view || ++s->out.tables > TOO_MANY_TABLES) {
        s->out.broken = true;
        return;
    }
    for (size_t i = 0; i < entries; i++) {
        uint64_t start = va + i * soft_span(mmu, level);
        if (start > s->last || start + soft_span(mmu, level) - 1 < s->from)
            continue;
        uint64_t entry = load(mmu, view + i * mmu->entry_bytes);
        mix(s, entry);
        if (entry != 0 && !s->out.broken)
            survey_entry(s, entry, level, start);
    }
}

struct soft_tree soft_survey(const struct soft_mmu *mmu, soft_view *view,
                             uint64_t root, uint64_t from, uint64_t last)
{
    struct survey s = {.mmu = mmu, .view = view, .from = from, .last = last};
    survey_table(&s, root, mmu->levels - 1, 0);
    return s.out;
}
