/* Telling the CPU about tables. SDM 3A, 4.1.2 (turning paging on), 4.10 (what
 * the CPU remembers, and how it is made to forget).
 *
 * Neither format remembers absent entries, so adding needs no flush; but PAE
 * latches the four root entries when CR3 is loaded. Without PCIDs a CPU
 * remembers nothing of a table that is not in CR3, global entries aside. */
#include <arch/cpu.h>
#include <arch/mmu.h>
#include <arch/pte.h>
#include <arch/segments.h>
#include <oct/arch.h>
#include <oct/assert.h>
#include <oct/mmu.h>

#define SINGLE_FLUSHES 32 /* for more, a whole flush is cheaper */

#ifdef MMU_PAE
const char mmu_name[] = "pae";
pte_t pte_nx;
static const unsigned long cr4_format = CR4_PAE;

void mmu_detect(void)
{
    pte_nx = cpu_has(CPU_NX) ? (pte_t)1 << 63 : 0;
}

const char *arch_mmu_features(void)
{
    if (!pte_nx)
        return "PAE, no NX: every page is executable";
    return cpu_has(CPU_PGE) ? "PAE, NX, global pages"
                            : "PAE, NX, no global pages";
}
#else
const char mmu_name[] = "i386";
static const unsigned long cr4_format = CR4_PSE;

void mmu_detect(void)
{
}

const char *arch_mmu_features(void)
{
    return cpu_has(CPU_PGE) ? "PSE, global pages, no execute control"
                            : "PSE, no global pages, no execute control";
}
#endif

/* Global pages last: the manual wants paging on before (SDM 3A, 2.5). */
static void turn_on(unsigned long root)
{
    write_cr4(read_cr4() | cr4_format);
    if (pte_nx)
        write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_NXE);
    write_cr3(root);
    write_cr0(read_cr0() | CR0_PG | CR0_WP);
    if (cpu_has(CPU_PGE))
        write_cr4(read_cr4() | CR4_PGE);
}

void mmu_load(paddr_t root)
{
    assert(root == (uint32_t)root);
    segments_set_root((uint32_t)root);
    if (read_cr0() & CR0_PG)
        write_cr3((uint32_t)root);
    else
        turn_on((uint32_t)root);
}

static void flush_tables(void)
{
    write_cr3(read_cr3());
}

/* Any change of CR4.PGE flushes everything. */
static void flush_all(void)
{
    unsigned long cr4 = read_cr4();

    if (cr4 & CR4_PGE) {
        write_cr4(cr4 & ~CR4_PGE);
        write_cr4(cr4);
    } else {
        flush_tables();
    }
}

static void flush_each(vaddr_t va, size_t count, size_t stride)
{
    for (; count > 0; count--, va += stride)
        invlpg(va);
}

/* Counted by first and last leaf: va + len may be 2^32. */
static void flush_leaves(vaddr_t va, size_t len, size_t stride)
{
    vaddr_t first = va / stride, last = (va + (len - 1)) / stride;

    if (last - first < SINGLE_FLUSHES)
        flush_each(first * stride, last - first + 1, stride);
    else
        flush_all();
}

void mmu_flush(paddr_t root, vaddr_t va, size_t len, size_t stride,
               unsigned what)
{
    if (root && root != read_cr3())
        return;
    if (what & MMU_TABLES)
        flush_tables();
    if ((what & MMU_CHANGED) && len > 0)
        flush_leaves(va, len, stride);
}
