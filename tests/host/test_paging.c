/* One property of the walker and codec at a time, in whatever format this is
 * compiled for; the CPU's view is the software MMU's. Random sequences are in
 * stream.c. V1 to V3 are defects of the original oct. */
#include "paging_fixture.h"
#include "stream.h"
#include "tests/kernel/support.h"

#include <string.h>

#include <oct/assert.h>
#include <oct/errno.h>
#include <oct/mmu.h>

#define PAGE PAGE_SIZE
#define RWU (P_READ | P_WRITE | P_USER)

static struct pagemap m;

static uint64_t span(unsigned level)
{
    return soft_span(host_mmu, level);
}

TEST(paging_shape_is_the_manuals)
{
    EXPECT(PT_LEVELS == host_mmu->levels);
    EXPECT(PT_INDEX_BITS == host_mmu->index_bits);
    EXPECT(PT_ROOT_BITS == host_mmu->root_bits);
    EXPECT(PT_MAX_LEAF + 1 == host_mmu->leaf_levels);
    EXPECT(PT_PA_BITS == host_mmu->pa_bits);
    EXPECT(PT_SIGN_EXTENDED == host_mmu->sign_extended);
    EXPECT(sizeof(pte_t) == host_mmu->entry_bytes);
    EXPECT(1u << PAGE_SHIFT == PAGE);
}

TEST(paging_empty_map_maps_nothing)
{
    fixture_start(&m);
    struct state s = state_of(&m);
    EXPECT(s.tree.tables == 1 && s.tree.leaves == 0 && s.tables == 1);
    EXPECT(is_hole(&m, fixture_va(4 * MiB), 64 * MiB));
    EXPECT(paging_check(&m) == NULL);
}

/* V1: tables come from frames full of junk. */
TEST(paging_new_tables_are_cleared)
{
    fixture_start(&m);
    vaddr_t va = fixture_va(GiB) + 5 * PAGE;
    EXPECT(paging_map(&m, va, 0x1234000, PAGE, RWU) == 0);
    struct state s = state_of(&m);
    EXPECT(s.tree.leaves == 1 && !s.tree.dirty);
    EXPECT(s.tree.tables == host_mmu->levels);
    EXPECT(is_mapped_to(&m, va, 0x1234000, PAGE, RWU));
    EXPECT(is_hole(&m, va - PAGE, PAGE));
    EXPECT(is_hole(&m, va + PAGE, PAGE));
}

/* V2: the last page that an entry of each level spans, and the page behind. */
TEST(paging_last_page_of_every_level)
{
    fixture_start(&m);
    vaddr_t base = fixture_va(GiB);
    for (unsigned level = 1; level < host_mmu->levels; level++) {
        vaddr_t va = (base | (span(level) - 1)) - (PAGE - 1);
        paddr_t pa = 0x7654000 + level * PAGE;
        EXPECT(paging_map(&m, va, pa, PAGE, RWU) == 0);
        EXPECT(is_mapped_to(&m, va, pa, PAGE, RWU));
        if (va + PAGE - 1 == fixture_last())
            break;
        EXPECT(paging_map(&m, va + PAGE, pa + 0x100000, PAGE, P_READ) == 0);
        EXPECT(is_mapped_to(&m, va + PAGE, pa + 0x100000, PAGE, P_READ));
        EXPECT(is_mapped_to(&m, va, pa, PAGE, RWU));
        EXPECT(paging_unmap(&m, va, 2 * PAGE) == 0);
    }
    EXPECT(paging_check(&m) == NULL);
}

/* Each combination of rights at each leaf size, by map and by protect. */
static void check_rights(struct test_result *result, unsigned level,
                         unsigned prot)
{
    vaddr_t va = fixture_va(span(level));
    paddr_t pa = level ? span(level) : 0xabcd000;
    EXPECT(paging_map(&m, va, pa, span(level), prot) == 0);
    EXPECT(paging_query(&m, va).level == level);
    EXPECT(is_mapped_to(&m, va, pa, span(level), prot));
    for (unsigned other = 0; other <= P_ALL; other++) {
        if (!(other & P_READ))
            continue;
        EXPECT(paging_protect(&m, va, span(level), other) == 0);
        EXPECT(is_mapped_to(&m, va, pa, span(level), other));
    }
    EXPECT(paging_unmap(&m, va, span(level)) == 0);
    EXPECT(is_hole(&m, va, span(level)));
}

TEST(paging_rights_read_back)
{
    fixture_start(&m);
    for (unsigned level = 0; level < host_mmu->leaf_levels; level++)
        for (unsigned prot = 0; prot <= P_ALL; prot++)
            if (prot & P_READ && span(level) <= fixture_last() / 4)
                CALL(check_rights, level, prot);
    EXPECT(m.tables == 1);
}

/* PAE on a CPU without NX: bit 63 is reserved then. */
TEST(paging_without_nx)
{
    SKIP_IF(host_mmu != &soft_pae, "only PAE can lack execute control");
    host_set_nx(false);
    soft_nxe = false;
    fixture_start(&m);
    vaddr_t va = fixture_va(4 * MiB);
    EXPECT(paging_effective(P_READ) == (P_READ | P_EXEC));
    EXPECT(paging_map(&m, va, 0x400000, 4 * MiB + PAGE, RWU) == 0);
    EXPECT(is_mapped_to(&m, va, 0x400000, 4 * MiB + PAGE, RWU));
    EXPECT(cpu_finds(&m, va).may[true][SOFT_EXEC]);
}

/* V3: silent remaps. Old and new ranges overlap in every way. */
static void check_refused(struct test_result *result, vaddr_t va, uint64_t len)
{
    struct state before = state_of(&m);
    EXPECT(paging_map(&m, va, 0x10000000, len, P_READ) == -EEXIST);
    EXPECT(is_state(&m, &before));
}

TEST(paging_remap_is_refused)
{
    fixture_start(&m);
    uint64_t big = span(1);
    vaddr_t va = fixture_va(4 * big) + big;
    EXPECT(paging_map(&m, va, big, big, RWU) == 0);
    EXPECT(paging_map(&m, va + 3 * big / 2, PAGE, PAGE, RWU) == 0);
    CALL(check_refused, va, big);
    CALL(check_refused, va, PAGE);
    CALL(check_refused, va + big - PAGE, PAGE);
    CALL(check_refused, va - PAGE, 2 * PAGE);
    CALL(check_refused, va + big - PAGE, 2 * PAGE);
    CALL(check_refused, va - big, 3 * big);
    CALL(check_refused, va + big, big);
    CALL(check_refused, va + 3 * big / 2, PAGE);
    CALL(check_refused, va + big, big / 2 + PAGE);
    EXPECT(is_mapped_to(&m, va, big, big, RWU));
}

/* Large pages of every size the format has, wherever they fit. */
TEST(paging_uses_the_largest_leaves)
{
    fixture_start(&m);
    unsigned top = host_mmu->leaf_levels - 1;
    while (3 * span(top) > fixture_last() - fixture_va(GiB))
        top--;
    uint64_t big = span(top), small = span(top - 1);
    vaddr_t va = fixture_va(big) + big - small;
    EXPECT(paging_map(&m, va, big - small, small + big + small, RWU) == 0);
    EXPECT(paging_query(&m, va).level == top - 1);
    EXPECT(paging_query(&m, va + small).level == top);
    EXPECT(paging_query(&m, va + small + big).level == top - 1);
    EXPECT(state_of(&m).tree.leaves == 3);
    EXPECT(is_mapped_to(&m, va, big - small, small + big + small, RWU));
    EXPECT(paging_unmap(&m, va, small + big + small) == 0);
    EXPECT(m.tables == 1);
}

/* Congruent modulo one leaf size but not the next. */
TEST(paging_physical_alignment_limits_leaves)
{
    fixture_start(&m);
    uint64_t big = span(1);
    vaddr_t va = fixture_va(big);
    EXPECT(paging_map(&m, va, big + PAGE, 2 * big, RWU) == 0);
    EXPECT(is_mapped_to(&m, va, big + PAGE, 2 * big, RWU));
    EXPECT(state_of(&m).tree.leaves == 2 * big / PAGE);
}

TEST(paging_path_shows_what_the_cpu_reads)
{
    struct pt_step steps[PT_LEVELS];
    fixture_start(&m);
    vaddr_t va = fixture_va(4 * MiB) + 3 * PAGE;
    EXPECT(paging_path(&m, va, steps) == 1);
    EXPECT(paging_map(&m, va, 0x5000, PAGE, RWU) == 0);
    struct soft_walk cpu = cpu_finds(&m, va);
    EXPECT(paging_path(&m, va, steps) == cpu.depth);
    EXPECT(cpu.depth == PT_LEVELS);
    for (unsigned i = 0; i < cpu.depth; i++) {
        EXPECT(steps[i].table == cpu.table[i]);
        EXPECT(steps[i].level == PT_LEVELS - 1 - i);
        EXPECT(steps[i].index ==
               (va / span(steps[i].level)) % (span(1) / PAGE));
        uint64_t entry = 0;
        memcpy(&entry,
               host_view(cpu.table[i] + steps[i].index * sizeof(pte_t), 8),
               sizeof(pte_t));
        EXPECT(steps[i].entry == entry && entry != 0);
    }
}

/* A short random stream in this format alone; formats.c runs long ones. */
TEST(paging_random_stream)
{
    static const struct format_ops *const formats[] = {&FORMAT_OPS};
    EXPECT(stream_check(formats, 1, test_seed, host_number("STEPS", 60)));
}
