/* How i386 two-level and PAE page tables are coded.
 * Intel 64 and IA-32 Architectures Software Developer's Manual, volume 3A,
 * sections 4.3 (32-bit paging), 4.4 (PAE paging) and 4.9 (memory types). */
#pragma once

#include <oct/prot.h>
#include <oct/types.h>

#ifdef MMU_PAE
typedef uint64_t pte_t;
#define PT_LEVELS 3
#define PT_INDEX_BITS 9
#define PT_ROOT_BITS 2
#define PT_PA_BITS 52
#else
typedef uint32_t pte_t;
#define PT_LEVELS 2
#define PT_INDEX_BITS 10
#define PT_ROOT_BITS 10
#define PT_PA_BITS 32
#endif
#define PAGE_SHIFT 12
#define PT_MAX_LEAF 1      /* highest level that may hold a leaf: PS */
#define PT_SIGN_EXTENDED 0 /* every 32-bit address is valid */

#define PTE_P ((pte_t)0x001)   /* present */
#define PTE_RW ((pte_t)0x002)  /* may be written */
#define PTE_US ((pte_t)0x004)  /* user mode may use it */
#define PTE_PWT ((pte_t)0x008) /* with PCD and the PAT of reset: uncached */
#define PTE_PCD ((pte_t)0x010)
#define PTE_A ((pte_t)0x020)  /* accessed */
#define PTE_D ((pte_t)0x040)  /* dirty */
#define PTE_PS ((pte_t)0x080) /* above level 0: a leaf */
#define PTE_G ((pte_t)0x100)  /* global */

#ifdef MMU_PAE
/* Bit 63 if the CPU has NX (EFER.NXE is then set), else 0. */
extern pte_t pte_nx;
#define PTE_ADDR ((pte_t)0x000ffffffffff000)
#define PT_PROT_ALWAYS (P_READ | (pte_nx ? 0 : P_EXEC))
#else
#define pte_nx ((pte_t)0)
#define PTE_ADDR ((pte_t)0xfffff000)
#define PT_PROT_ALWAYS (P_READ | P_EXEC) /* rights that cannot be withheld */
#endif
#define PT_PROT_STORED P_ALL /* rights that can be told apart */

static inline bool pte_present(pte_t e)
{
    return e & PTE_P;
}

static inline bool pte_is_table(pte_t e, unsigned level)
{
    return level > 0 && (e & PTE_P) && !(e & PTE_PS);
}

static inline paddr_t pte_addr(pte_t e)
{
    return e & PTE_ADDR;
}

static inline unsigned pte_prot(pte_t e)
{
    return P_READ | (e & PTE_RW ? P_WRITE : 0) | (e & PTE_US ? P_USER : 0) |
           (e & PTE_G ? P_GLOBAL : 0) | (e & PTE_PCD ? P_DEVICE : 0) |
           (pte_nx && (e & pte_nx) ? 0 : P_EXEC);
}

static inline pte_t pte_leaf(paddr_t pa, unsigned prot, unsigned level)
{
    return (pte_t)pa | PTE_P | PTE_A | (prot & P_WRITE ? PTE_RW | PTE_D : 0) |
           (prot & P_USER ? PTE_US : 0) | (prot & P_GLOBAL ? PTE_G : 0) |
           (prot & P_DEVICE ? PTE_PCD | PTE_PWT : 0) |
           (prot & P_EXEC ? 0 : pte_nx) | (level > 0 ? PTE_PS : 0);
}

/* Rights are ANDed down the levels, so a table grants everything: except in
 * the PAE root, where RW, US and NX are reserved and fault when loaded. */
static inline pte_t pte_table(paddr_t pa, unsigned level)
{
    bool pae_root = PT_LEVELS == 3 && level == 2;
    return (pte_t)pa | PTE_P | (pae_root ? 0 : PTE_RW | PTE_US);
}

/* The one store. A 32-bit CPU cannot store a PAE entry at once: what becomes
 * present gets its high half first, what becomes absent loses its low half
 * first, and what stays present is exchanged by cmpxchg8b. */
static inline void pte_set(pte_t *slot, pte_t e, unsigned level)
{
    (void)level;
#ifdef MMU_PAE
    volatile uint32_t *half = (volatile uint32_t *)slot;
    if (!(half[0] & PTE_P)) {
        half[1] = (uint32_t)(e >> 32);
        half[0] = (uint32_t)e;
    } else if (!(e & PTE_P)) {
        half[0] = (uint32_t)e;
        half[1] = (uint32_t)(e >> 32);
    } else {
        while (!__sync_bool_compare_and_swap(slot, *slot, e))
            continue;
    }
#else
    *(volatile pte_t *)slot = e;
#endif
}
