/* Splitting large pages, telling the CPUs, and running out of tables. */
#include "paging_fixture.h"

#include <oct/assert.h>
#include <oct/errno.h>
#include <oct/mmu.h>

#define PAGE PAGE_SIZE
#define RWU (P_READ | P_WRITE | P_USER)
#define RX (P_READ | P_EXEC)

static struct pagemap m;

static uint64_t span(unsigned level)
{
    return soft_span(host_mmu, level);
}

/* One leaf of each size with its last and first page, and one in the middle. */
struct split {
    unsigned level;
    vaddr_t va;
    uint64_t at; /* of the page that changes */
};

static struct split the_split(unsigned level, unsigned which)
{
    uint64_t at[] = {0, span(level) / 2 + PAGE, span(level) - PAGE};
    return (struct split){level, fixture_va(span(level)), at[which]};
}

static bool fits(unsigned level)
{
    return fixture_va(span(level)) + span(level) - 1 <= fixture_last();
}

static void make_leaf(struct test_result *result, const struct split *s)
{
    EXPECT(paging_map(&m, s->va, span(s->level), span(s->level), RWU) == 0);
    EXPECT(paging_query(&m, s->va).level == s->level);
}

/* What surrounds the page keeps frames and rights. */
static void check_rest(struct test_result *result, const struct split *s)
{
    paddr_t pa = span(s->level);
    uint64_t after = s->at + PAGE;
    EXPECT(is_mapped_to(&m, s->va, pa, s->at, RWU));
    EXPECT(is_mapped_to(&m, s->va + after, pa + after, span(s->level) - after,
                        RWU));
    EXPECT(paging_check(&m) == NULL);
}

static void check_split(struct test_result *result, const struct split *s)
{
    size_t tables = m.tables;
    CALL(make_leaf, s);
    size_t above = m.tables;
    EXPECT(paging_protect(&m, s->va + s->at, PAGE, RX) == 0);
    EXPECT(m.tables == above + s->level);
    EXPECT(is_mapped_to(&m, s->va + s->at, span(s->level) + s->at, PAGE, RX));
    CALL(check_rest, s);
    EXPECT(paging_unmap(&m, s->va + s->at, PAGE) == 0);
    EXPECT(is_hole(&m, s->va + s->at, PAGE));
    CALL(check_rest, s);
    EXPECT(paging_unmap(&m, s->va, span(s->level)) == 0);
    EXPECT(m.tables == tables);
}

TEST(split_keeps_the_rest)
{
    fixture_start(&m);
    for (unsigned level = 1; level < host_mmu->leaf_levels; level++)
        for (unsigned which = 0; which < 3 && fits(level); which++) {
            struct split s = the_split(level, which);
            CALL(check_split, &s);
        }
}

/* Both ends of a range lie in large pages, several in between. */
TEST(split_at_both_ends)
{
    fixture_start(&m);
    uint64_t big = span(1);
    vaddr_t va = fixture_va(big);
    EXPECT(paging_map(&m, va, big, 4 * big, RWU) == 0);
    EXPECT(paging_unmap(&m, va + PAGE, 4 * big - 2 * PAGE) == 0);
    EXPECT(is_mapped_to(&m, va, big, PAGE, RWU));
    EXPECT(is_hole(&m, va + PAGE, 4 * big - 2 * PAGE));
    EXPECT(is_mapped_to(&m, va + 4 * big - PAGE, 5 * big - PAGE, PAGE, RWU));
    EXPECT(state_of(&m).tree.leaves == 2);
}

/* --- flushes --- */

static struct split current;
static bool kept_meaning;

/* When the first flush of a split comes, the tree is split but no address means
 * anything else yet. */
static void at_flush(const struct host_flush *f, bool after)
{
    if (!after && flush_logged == 0)
        kept_meaning = is_mapped_to(&m, current.va, span(current.level),
                                    span(current.level), RWU);
    if (!after && flush_logged < LOG_MAX)
        flush_log[flush_logged++] = *f;
}

static bool covers(const struct host_flush *f, vaddr_t va, uint64_t len)
{
    return f->root == m.root && f->va <= va && va - f->va + len <= f->len;
}

/* The map is locked while it is flushed, and queries lock it. */
static void at_flush_unlocked(const struct host_flush *f, bool after)
{
    m.lock.held = false;
    at_flush(f, after);
    m.lock.held = true;
}

static void check_split_flush(struct test_result *result, unsigned level)
{
    unsigned both = MMU_CHANGED | MMU_TABLES;
    current = the_split(level, 1);
    CALL(make_leaf, &current);
    flush_logged = 0;
    kept_meaning = false;
    host_on_flush = at_flush_unlocked;
    EXPECT(paging_unmap(&m, current.va + current.at, PAGE) == 0);
    host_on_flush = NULL;
    EXPECT(flush_logged == level + 1);
    EXPECT(kept_meaning);
    for (unsigned i = 0; i < level; i++) {
        vaddr_t leaf = (current.va + current.at) & ~(span(level - i) - 1);
        EXPECT(covers(&flush_log[i], leaf, span(level - i)));
        EXPECT((flush_log[i].what & both) == both);
    }
    EXPECT(covers(&flush_log[level], current.va + current.at, PAGE));
    EXPECT(flush_log[level].stride == PAGE);
    EXPECT(paging_unmap(&m, current.va, span(level)) == 0);
}

TEST(split_is_flushed_before_it_changes)
{
    fixture_start(&m);
    for (unsigned level = 1; level < host_mmu->leaf_levels; level++)
        if (fits(level))
            CALL(check_split_flush, level);
}

/* V3: each kind of change reaches the CPUs. */
TEST(flushes_say_what_changed)
{
    fixture_start(&m);
    vaddr_t va = fixture_va(4 * MiB);
    log_start();
    EXPECT(paging_map(&m, va, 0x8000, 2 * PAGE, RWU) == 0);
    EXPECT(flush_logged == 1 && covers(&flush_log[0], va, 2 * PAGE));
    EXPECT(flush_log[0].what == (MMU_ADDED | MMU_TABLES));
    log_start();
    EXPECT(paging_map(&m, va + 2 * PAGE, 0x8000, PAGE, RWU) == 0);
    EXPECT(flush_logged == 1 && flush_log[0].what == MMU_ADDED);
    log_start();
    EXPECT(paging_protect(&m, va, PAGE, RX) == 0);
    EXPECT(flush_logged == 1 && flush_log[0].what == MMU_CHANGED);
    EXPECT(covers(&flush_log[0], va, PAGE));
    log_start();
    EXPECT(paging_unmap(&m, va, PAGE) == 0);
    EXPECT(flush_logged == 1 && flush_log[0].what == MMU_CHANGED);
    log_start();
    EXPECT(paging_unmap(&m, va, 3 * PAGE) == 0);
    EXPECT(flush_log[flush_logged - 1].what == (MMU_CHANGED | MMU_TABLES));
    log_start();
    EXPECT(paging_unmap(&m, va, 3 * PAGE) == 0);
    EXPECT(flush_logged == 0);
}

/* --- out of tables --- */

enum change { MAP_PAGE, MAP_LONG, UNMAP_PAGE, PROTECT_PAGE, UNMAP_MOST };

static int change(enum change kind, vaddr_t va, uint64_t big)
{
    switch (kind) {
    case MAP_PAGE:
        return paging_map(&m, va + 2 * big, 0x1000, PAGE, RWU);
    case MAP_LONG:
        return paging_map(&m, va + big, 0x1000, 2 * big + span(1), RWU);
    case UNMAP_PAGE:
        return paging_unmap(&m, va + big / 2 + PAGE, PAGE);
    case PROTECT_PAGE:
        return paging_protect(&m, va + big / 2 + PAGE, PAGE, RX);
    default:
        return paging_unmap(&m, va + PAGE, big - 2 * PAGE);
    }
}

/* Fails at the first table, the second, ... until there are enough. */
static void check_starved(struct test_result *result, enum change kind,
                          unsigned level)
{
    vaddr_t va = fixture_va(span(level));
    EXPECT(paging_map(&m, va, span(level), span(level), RWU) == 0);
    struct state before = state_of(&m);
    long k = 0;
    for (int error = -ENOMEM; error == -ENOMEM; k++) {
        pmm_fail_after(k);
        error = change(kind, va, span(level));
        pmm_fail_after(-1);
        EXPECT(error == 0 || error == -ENOMEM);
        EXPECT(error == 0 || is_state(&m, &before));
        EXPECT(paging_check(&m) == NULL);
    }
    EXPECT(k > 1);
    EXPECT(paging_unmap(&m, va, 4 * span(level)) == 0);
}

TEST(starved_calls_change_nothing)
{
    fixture_start(&m);
    struct state empty = state_of(&m);
    for (unsigned kind = MAP_PAGE; kind <= UNMAP_MOST; kind++)
        for (unsigned level = 1; level < host_mmu->leaf_levels; level++) {
            bool long_map = kind == MAP_LONG && level > 1;
            if (long_map || 4 * span(level) > fixture_last() / 4)
                continue;
            CALL(check_starved, kind, level);
            EXPECT(is_state(&m, &empty));
        }
}

TEST(starved_create_changes_nothing)
{
    struct pagemap other = {0};
    struct frames_stats before, after;
    fixture_start(&m);
    pmm_stats(&before);
    pmm_fail_after(0);
    EXPECT(paging_create(&other) == -ENOMEM);
    pmm_fail_after(-1);
    pmm_stats(&after);
    EXPECT(after.free == before.free);
    EXPECT(paging_create(&other) == 0);
    EXPECT(paging_map(&other, fixture_va(GiB), 0, 7 * MiB, RWU) == 0);
    paging_destroy(&other);
    pmm_stats(&after);
    EXPECT(after.free == before.free);
}
