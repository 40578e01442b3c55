/* The software MMUs on entries written by hand from the manuals: what judges
 * the walker has to be right itself. Runs the same in every format's program.
 */
#include "kernel/ktest.h"
#include "softmmu.h"

#include <string.h>

/* Four tables of simulated memory: the one for level L at (L + 1) * 4096. */
static char memory[5 * 4096];

static void *view(paddr_t pa, size_t size)
{
    return pa + size <= sizeof(memory) ? memory + pa : NULL;
}

static uint64_t table_for(unsigned level)
{
    return (level + 1) * 4096ull;
}

static void put(const struct soft_mmu *mmu, unsigned level, uint64_t entry)
{
    memcpy(memory + table_for(level), &entry, mmu->entry_bytes);
}

static bool is_riscv(const struct soft_mmu *mmu)
{
    return mmu->caches_absent;
}

static uint64_t pointer(const struct soft_mmu *mmu, unsigned level)
{
    uint64_t pa = table_for(level - 1);
    if (is_riscv(mmu))
        return pa >> 2 | 1;
    return pa | (mmu == &soft_pae && level == 2 ? 1 : 7);
}

/* Translates address 0 with `entry` at `level`, above it plain pointers. */
static struct soft_walk judge(const struct soft_mmu *mmu, unsigned level,
                              uint64_t entry)
{
    memset(memory, 0, sizeof(memory));
    for (unsigned l = level + 1; l < mmu->levels; l++)
        put(mmu, l, pointer(mmu, l));
    put(mmu, level, entry);
    return soft_translate(mmu, view, table_for(mmu->levels - 1), 0);
}

struct row {
    const struct soft_mmu *mmu;
    unsigned level;
    uint64_t entry;
    enum soft_fault fault;
};

static const struct row rows[] = {
    {&soft_i386, 0, 0x5067, SOFT_OK},
    {&soft_i386, 0, 0x5066, SOFT_ABSENT},
    {&soft_i386, 1, 0x00400087, SOFT_OK},
    {&soft_i386, 1, 0x00402087, SOFT_RESERVED}, /* bit 13 */
    {&soft_i386, 1, 0x00500087, SOFT_RESERVED}, /* bit 20 */
    {&soft_i386, 1, 0x00600087, SOFT_RESERVED}, /* bit 21 */
    {&soft_i386, 1, 0x00401087, SOFT_OK},       /* bit 12 is PAT */
    {&soft_i386, 1, 0x70000007, SOFT_BUS},      /* no RAM there */
    {&soft_pae, 0, 0x5067, SOFT_OK},
    {&soft_pae, 0, 1ull << 63 | 0x5067, SOFT_OK},
    {&soft_pae, 0, 1ull << 52 | 0x5067, SOFT_RESERVED},
    {&soft_pae, 0, 1ull << 62 | 0x5067, SOFT_RESERVED},
    {&soft_pae, 1, 0x00200087, SOFT_OK},
    {&soft_pae, 1, 0x00300087, SOFT_RESERVED}, /* bit 20 */
    {&soft_pae, 1, 0x00202087, SOFT_RESERVED}, /* bit 13 */
    {&soft_pae, 2, 0x2003, SOFT_RESERVED},     /* R/W in the root */
    {&soft_pae, 2, 0x2005, SOFT_RESERVED},     /* U/S */
    {&soft_pae, 2, 0x2021, SOFT_RESERVED},     /* accessed */
    {&soft_pae, 2, 0x2081, SOFT_RESERVED},     /* page size */
    {&soft_pae, 2, 1ull << 63 | 0x2001, SOFT_RESERVED},
    {&soft_sv32, 0, 0xcf, SOFT_OK},
    {&soft_sv32, 0, 0xce, SOFT_ABSENT},
    {&soft_sv32, 0, 0xc5, SOFT_RESERVED}, /* W without R */
    {&soft_sv32, 0, 0x01, SOFT_RESERVED}, /* a pointer below level 0 */
    {&soft_sv32, 1, 0x000400cf, SOFT_MISALIGNED},
    {&soft_sv32, 1, 0x001000cf, SOFT_OK},
    {&soft_sv32, 1, 0x00000441, SOFT_RESERVED}, /* A in a pointer */
    {&soft_sv32, 1, 0x00000481, SOFT_RESERVED}, /* D */
    {&soft_sv32, 1, 0x00000411, SOFT_RESERVED}, /* U */
    {&soft_sv39, 1, 0x000800cf, SOFT_OK},
    {&soft_sv39, 1, 0x000400cf, SOFT_MISALIGNED},
    {&soft_sv39, 2, 0x100000cf, SOFT_OK},
    {&soft_sv39, 2, 0x080000cf, SOFT_MISALIGNED},
    {&soft_sv39, 0, 1ull << 54 | 0xcf, SOFT_RESERVED},
    {&soft_sv39, 0, 1ull << 63 | 0xcf, SOFT_RESERVED},
    {&soft_sv48, 3, 0x2000000000cf, SOFT_OK},
    {&soft_sv48, 3, 0x0000100000cf, SOFT_MISALIGNED},
};

TEST(softmmu_judges_entries)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct row *r = &rows[i];
        struct soft_walk w = judge(r->mmu, r->level, r->entry);
        EXPECT(w.fault == r->fault);
        EXPECT(w.fault != SOFT_OK || w.level == r->level);
    }
}

TEST(softmmu_nx_needs_nxe)
{
    soft_nxe = false;
    EXPECT(judge(&soft_pae, 0, 1ull << 63 | 0x5067).fault == SOFT_RESERVED);
    soft_nxe = true;
    struct soft_walk w = judge(&soft_pae, 0, 1ull << 63 | 0x5067);
    EXPECT(w.fault == SOFT_OK && !w.may[true][SOFT_EXEC]);
}

/* x86: a table that forbids writing or user mode forbids it for all below. */
TEST(softmmu_rights_are_anded)
{
    judge(&soft_i386, 0, 0x5067);
    put(&soft_i386, 1, table_for(0) | 1);
    struct soft_walk w = soft_translate(&soft_i386, view, table_for(1), 0);
    EXPECT(w.fault == SOFT_OK && w.may[false][SOFT_READ]);
    EXPECT(!w.may[false][SOFT_WRITE]); /* CR0.WP */
    EXPECT(!w.may[true][SOFT_READ] && !w.may[true][SOFT_EXEC]);
}

/* RISC-V: user pages are not the supervisor's, nor the other way; a clear A or
 * D faults; G of a table holds below. */
TEST(softmmu_riscv_rights)
{
    struct soft_walk user = judge(&soft_sv39, 0, 0xdf);
    struct soft_walk kernel = judge(&soft_sv39, 0, 0xcf);
    EXPECT(user.may[true][SOFT_WRITE] && !user.may[false][SOFT_READ]);
    EXPECT(!user.may[false][SOFT_EXEC]);
    EXPECT(kernel.may[false][SOFT_EXEC] && !kernel.may[true][SOFT_READ]);
    struct soft_walk unread = judge(&soft_sv39, 0, 0x0f);
    EXPECT(!unread.may[false][SOFT_READ] && unread.wants_update);
    struct soft_walk clean = judge(&soft_sv39, 0, 0x4f);
    EXPECT(clean.may[false][SOFT_READ] && !clean.may[false][SOFT_WRITE]);
    EXPECT(!judge(&soft_sv39, 0, 0xcf).global);
    put(&soft_sv39, 1, pointer(&soft_sv39, 1) | 0x20);
    EXPECT(soft_translate(&soft_sv39, view, table_for(2), 0).global);
}

TEST(softmmu_x86_memory_types)
{
    EXPECT(judge(&soft_i386, 0, 0x5067).type == SOFT_WB);
    EXPECT(judge(&soft_i386, 0, 0x507f).type == SOFT_UC);
    EXPECT(judge(&soft_i386, 0, 0x5077).type == SOFT_UC_MINUS);
    EXPECT(judge(&soft_i386, 0, 0x50e7).type > SOFT_UC);   /* PAT, bit 7 */
    EXPECT(judge(&soft_i386, 1, 0x4010e7).type > SOFT_UC); /* bit 12 */
    EXPECT(judge(&soft_i386, 0, 0x5007).wants_update);
    EXPECT(judge(&soft_i386, 0, 0x5027).wants_update);
    EXPECT(!judge(&soft_i386, 0, 0x5025).wants_update);
}

TEST(softmmu_canonical_addresses)
{
    const struct {
        const struct soft_mmu *mmu;
        uint64_t va;
        bool canonical;
    } addresses[] = {
        {&soft_i386, 0xffffffff, true},
        {&soft_i386, 0x100000000, false},
        {&soft_pae, 0x100000000, false},
        {&soft_sv32, 0xffffffff, true},
        {&soft_sv39, 0x3fffffffff, true},
        {&soft_sv39, 0x4000000000, false},
        {&soft_sv39, 0xffffffbfffffffff, false},
        {&soft_sv39, 0xffffffc000000000, true},
        {&soft_sv48, 0x7fffffffffff, true},
        {&soft_sv48, 0x800000000000, false},
        {&soft_sv48, 0xffff800000000000, true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
        const struct soft_mmu *mmu = addresses[i].mmu;
        judge(mmu, 0, 0);
        struct soft_walk w = soft_translate(
            mmu, view, table_for(mmu->levels - 1), addresses[i].va);
        EXPECT((w.fault != SOFT_NONCANONICAL) == addresses[i].canonical);
    }
}
