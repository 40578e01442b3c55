/* Intel 64 and IA-32 Architectures Software Developer's Manual, volume 3A:
 * 4.3 32-bit paging (tables 4-4 to 4-6), 4.4 PAE paging (tables 4-8 to 4-11),
 * 4.6 access rights, 4.9 memory typing. The CPU simulated has CR0.WP = 1,
 * CR4.PSE = CR4.PGE = 1, SMEP = SMAP = 0, no PSE-36, MAXPHYADDR = 52, and NX if
 * soft_nxe. Bit positions are written as in the manual's tables. */
#include "softmmu.h"

#include <oct/prot.h>

bool soft_nxe = true;

static bool bit(uint64_t entry, unsigned n)
{
    return entry >> n & 1;
}

/* Bits high..low of the entry, where they lie. */
static uint64_t field(uint64_t entry, unsigned high, unsigned low)
{
    return entry & (~0ull >> (63 - high)) & (~0ull << low);
}

static void forbid(bool may[2][3], enum soft_access access, bool user)
{
    may[user][access] = false;
}

/* Table 4-5 and 4.6.1: what one entry's R/W, U/S and XD take away. */
static void restrict_rights(struct soft_walk *w, uint64_t entry)
{
    if (!bit(entry, 1)) {
        forbid(w->may, SOFT_WRITE, true);
        forbid(w->may, SOFT_WRITE, false); /* CR0.WP */
    }
    if (!bit(entry, 2))
        for (int access = SOFT_READ; access <= SOFT_EXEC; access++)
            forbid(w->may, access, true);
    if (bit(entry, 63)) {
        forbid(w->may, SOFT_EXEC, true);
        forbid(w->may, SOFT_EXEC, false);
    }
}

/* 4.9.2: PAT, PCD and PWT choose; the table's second half repeats the first. */
static unsigned memory_type(uint64_t entry, unsigned pat)
{
    return bit(entry, pat) * 4 + bit(entry, 4) * 2 + bit(entry, 3);
}

static void decode_leaf(uint64_t entry, struct soft_walk *w, unsigned pat)
{
    w->global = bit(entry, 8);
    w->type = memory_type(entry, pat);
    bool writable = w->may[false][SOFT_WRITE];
    w->wants_update = !bit(entry, 5) || (writable && !bit(entry, 6));
}

static void decode_i386(const struct soft_mmu *mmu, uint64_t entry,
                        struct soft_walk *w, bool *is_table)
{
    (void)mmu;
    if (!bit(entry, 0)) {
        w->fault = SOFT_ABSENT;
        return;
    }
    restrict_rights(w, entry);
    if (w->level == 1 && bit(entry, 7)) {
        w->pa = field(entry, 31, 22);
        if (field(entry, 21, 13)) /* without PSE-36 */
            w->fault = SOFT_RESERVED;
        decode_leaf(entry, w, 12);
    } else {
        w->pa = field(entry, 31, 12);
        *is_table = w->level == 1;
        if (!*is_table)
            decode_leaf(entry, w, 7);
    }
}

/* Table 4-8. A reserved bit here faults when CR3 is loaded. The rights of the
 * tree begin one level below. */
static void decode_pdpte(uint64_t entry, struct soft_walk *w, bool *is_table)
{
    if (field(entry, 2, 1) || field(entry, 8, 5) || field(entry, 63, 52))
        w->fault = SOFT_RESERVED;
    w->pa = field(entry, 51, 12);
    *is_table = true;
}

static void decode_pae(const struct soft_mmu *mmu, uint64_t entry,
                       struct soft_walk *w, bool *is_table)
{
    (void)mmu;
    if (!bit(entry, 0)) {
        w->fault = SOFT_ABSENT;
        return;
    }
    if (w->level == 2) {
        decode_pdpte(entry, w, is_table);
        return;
    }
    restrict_rights(w, entry);
    if (field(entry, 62, 52) || (bit(entry, 63) && !soft_nxe))
        w->fault = SOFT_RESERVED;
    if (w->level == 1 && bit(entry, 7)) {
        w->pa = field(entry, 51, 21);
        if (field(entry, 20, 13))
            w->fault = SOFT_RESERVED;
        decode_leaf(entry, w, 12);
    } else {
        w->pa = field(entry, 51, 12);
        *is_table = w->level == 1;
        if (!*is_table)
            decode_leaf(entry, w, 7);
    }
}

static void expect(unsigned prot, struct soft_walk *out, bool nx)
{
    for (int user = 0; user < 2; user++) {
        bool reach = !user || prot & P_USER;
        out->may[user][SOFT_READ] = reach;
        out->may[user][SOFT_WRITE] = reach && prot & P_WRITE;
        out->may[user][SOFT_EXEC] = reach && (prot & P_EXEC || !nx);
    }
    out->global = prot & P_GLOBAL;
    out->type = prot & P_DEVICE ? SOFT_UC : SOFT_WB;
}

static void expect_i386(unsigned prot, struct soft_walk *out)
{
    expect(prot, out, false);
}

static void expect_pae(unsigned prot, struct soft_walk *out)
{
    expect(prot, out, soft_nxe);
}

const struct soft_mmu soft_i386 = {
    .name = "i386",
    .levels = 2,
    .index_bits = 10,
    .root_bits = 10,
    .entry_bytes = 4,
    .va_bits = 32,
    .pa_bits = 32,
    .leaf_levels = 2,
    .upper_with_leaf = true,
    .decode = decode_i386,
    .expect = expect_i386,
};

const struct soft_mmu soft_pae = {
    .name = "pae",
    .levels = 3,
    .index_bits = 9,
    .root_bits = 2,
    .entry_bytes = 8,
    .va_bits = 32,
    .pa_bits = 52,
    .leaf_levels = 2,
    .root_latched = true,
    .upper_with_leaf = true,
    .decode = decode_pae,
    .expect = expect_pae,
};
