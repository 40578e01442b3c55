/* The RISC-V Instruction Set Manual, Volume II: Privileged Architecture,
 * "Sv32", "Virtual Address Translation Process", "Sv39" and "Sv48". The hart
 * simulated has MXR = SUM = 0, neither Svpbmt nor Svnapot, and faults where A
 * or D is clear. Bit positions are written as in the manual's figures. */
#include "softmmu.h"

#include <oct/prot.h>

enum { V, R, W, X, U, G, A, D };

static bool bit(uint64_t entry, unsigned n)
{
    return entry >> n & 1;
}

/* Step 3, and what later chapters reserve: bits 63..54 of a 64-bit entry. */
static bool reserved(const struct soft_mmu *mmu, uint64_t entry)
{
    return (bit(entry, W) && !bit(entry, R)) ||
           (mmu->entry_bytes == 8 && entry >> 54 != 0);
}

/* "For non-leaf PTEs, the D, A, and U bits are reserved." */
static bool reserved_in_table(uint64_t entry)
{
    return bit(entry, D) || bit(entry, A) || bit(entry, U);
}

/* Steps 5 to 7. A page is either user mode's or the supervisor's: SUM = 0. */
static void decode_leaf(uint64_t entry, struct soft_walk *w)
{
    for (int user = 0; user < 2; user++) {
        bool reach = bit(entry, U) == user && bit(entry, A);
        w->may[user][SOFT_READ] = reach && bit(entry, R);
        w->may[user][SOFT_WRITE] = reach && bit(entry, W) && bit(entry, D);
        w->may[user][SOFT_EXEC] = reach && bit(entry, X);
    }
    w->global |= bit(entry, G);
    w->wants_update = !bit(entry, A) || (bit(entry, W) && !bit(entry, D));
}

static void decode(const struct soft_mmu *mmu, uint64_t entry,
                   struct soft_walk *w, bool *is_table)
{
    if (!bit(entry, V)) {
        w->fault = SOFT_ABSENT;
        return;
    }
    uint64_t ppn = mmu->entry_bytes == 8 ? entry << 10 >> 20 : entry >> 10;
    w->pa = ppn << 12;
    if (reserved(mmu, entry)) {
        w->fault = SOFT_RESERVED;
        return;
    }
    *is_table = !bit(entry, R) && !bit(entry, X);
    if (!*is_table) {
        decode_leaf(entry, w);
        return;
    }
    if (w->level == 0 || reserved_in_table(entry))
        w->fault = SOFT_RESERVED;
    w->global |= bit(entry, G); /* of a table: all below it is global */
}

static void expect(unsigned prot, struct soft_walk *out)
{
    for (int user = 0; user < 2; user++) {
        bool reach = !!(prot & P_USER) == user;
        out->may[user][SOFT_READ] = reach;
        out->may[user][SOFT_WRITE] = reach && prot & P_WRITE;
        out->may[user][SOFT_EXEC] = reach && prot & P_EXEC;
    }
    out->global = prot & P_GLOBAL;
    out->type = SOFT_WB; /* the format cannot say more */
}

const struct soft_mmu soft_sv32 = {
    .name = "sv32",
    .levels = 2,
    .index_bits = 10,
    .root_bits = 10,
    .entry_bytes = 4,
    .va_bits = 32,
    .pa_bits = 34,
    .leaf_levels = 2,
    .caches_absent = true,
    .decode = decode,
    .expect = expect,
};

const struct soft_mmu soft_sv39 = {
    .name = "sv39",
    .levels = 3,
    .index_bits = 9,
    .root_bits = 9,
    .entry_bytes = 8,
    .va_bits = 39,
    .sign_extended = true,
    .pa_bits = 56,
    .leaf_levels = 3,
    .caches_absent = true,
    .decode = decode,
    .expect = expect,
};

const struct soft_mmu soft_sv48 = {
    .name = "sv48",
    .levels = 4,
    .index_bits = 9,
    .root_bits = 9,
    .entry_bytes = 8,
    .va_bits = 48,
    .sign_extended = true,
    .pa_bits = 56,
    .leaf_levels = 4,
    .caches_absent = true,
    .decode = decode,
    .expect = expect,
};
