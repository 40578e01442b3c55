/* How Sv32, Sv39 and Sv48 page tables are coded.
 * The RISC-V Instruction Set Manual, Volume II: Privileged Architecture,
 * sections "Sv32", "Sv39" and "Sv48". */
#pragma once

#include <oct/prot.h>
#include <oct/types.h>

#ifdef MMU_SV32
typedef uint32_t pte_t;
#define PT_INDEX_BITS 10
#define PT_PA_BITS 34
#define PT_SIGN_EXTENDED 0 /* every 32-bit address is valid */
#else
typedef uint64_t pte_t;
#define PT_INDEX_BITS 9
#define PT_PA_BITS 56
#define PT_SIGN_EXTENDED 1 /* the bits above the highest index repeat it */
#endif

#if defined(MMU_SV32)
#define PT_LEVELS 2
#elif defined(MMU_SV39)
#define PT_LEVELS 3
#else
#define PT_LEVELS 4
#endif
#define PAGE_SHIFT 12
#define PT_ROOT_BITS PT_INDEX_BITS
#define PT_MAX_LEAF (PT_LEVELS - 1) /* a leaf may be at any level */

#define PTE_V ((pte_t)0x01) /* valid */
#define PTE_R ((pte_t)0x02) /* any of R, W, X: a leaf */
#define PTE_W ((pte_t)0x04)
#define PTE_X ((pte_t)0x08)
#define PTE_U ((pte_t)0x10) /* user mode may use it, the kernel may not */
#define PTE_G ((pte_t)0x20) /* global */
#define PTE_A ((pte_t)0x40) /* accessed: a CPU may fault if it is clear */
#define PTE_D ((pte_t)0x80) /* dirty: the same on a write */
#define PTE_PPN_SHIFT 10    /* the frame number, two bits lower than on x86 */
#define PTE_PPN_BITS (PT_PA_BITS - PAGE_SHIFT)

#define PT_PROT_ALWAYS P_READ              /* rights that cannot be withheld */
#define PT_PROT_STORED (P_ALL & ~P_DEVICE) /* rights that can be told apart */

static inline bool pte_present(pte_t e)
{
    return e & PTE_V;
}

static inline bool pte_is_table(pte_t e, unsigned level)
{
    return level > 0 && (e & (PTE_V | PTE_R | PTE_W | PTE_X)) == PTE_V;
}

static inline paddr_t pte_addr(pte_t e)
{
    paddr_t frame = e >> PTE_PPN_SHIFT;
    return (frame & ((1ull << PTE_PPN_BITS) - 1)) << PAGE_SHIFT;
}

static inline unsigned pte_prot(pte_t e)
{
    return (e & PTE_R ? P_READ : 0) | (e & PTE_W ? P_WRITE : 0) |
           (e & PTE_X ? P_EXEC : 0) | (e & PTE_U ? P_USER : 0) |
           (e & PTE_G ? P_GLOBAL : 0);
}

/* A and D are set at once, so that no CPU faults to have them set. */
static inline pte_t pte_leaf(paddr_t pa, unsigned prot, unsigned level)
{
    (void)level;
    return (pte_t)(pa >> PAGE_SHIFT << PTE_PPN_SHIFT) | PTE_V | PTE_R | PTE_A |
           (prot & P_WRITE ? PTE_W | PTE_D : 0) | (prot & P_EXEC ? PTE_X : 0) |
           (prot & P_USER ? PTE_U : 0) | (prot & P_GLOBAL ? PTE_G : 0);
}

/* A table is V alone: A, D and U are reserved in it. */
static inline pte_t pte_table(paddr_t pa, unsigned level)
{
    (void)level;
    return (pte_t)(pa >> PAGE_SHIFT << PTE_PPN_SHIFT) | PTE_V;
}

/* The one store: a word, so always whole. */
static inline void pte_set(pte_t *slot, pte_t e, unsigned level)
{
    (void)level;
    *(volatile pte_t *)slot = e;
}
