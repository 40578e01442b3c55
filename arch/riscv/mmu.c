/* Telling the hart about page tables. Privileged Architecture, "Supervisor
 * Address Translation and Protection Register" and "Supervisor
 * Memory-Management Fence Instruction".
 *
 * All spaces use ASID 0, and kernel and user tables give one address different
 * meanings, so a change of tables forgets everything, global entries included.
 * It follows that a hart caches nothing of a table that is not in its satp. */
#include <arch/cpu.h>
#include <arch/machine.h>
#include <arch/pte.h>
#include <oct/arch.h>
#include <oct/mmu.h>
#include <oct/print.h>

#if defined(MMU_SV32)
#define SATP_MODE (1ul << 31)
const char mmu_name[] = "sv32";
#elif defined(MMU_SV39)
#define SATP_MODE (8ul << 60)
const char mmu_name[] = "sv39";
#else
#define SATP_MODE (9ul << 60)
const char mmu_name[] = "sv48";
#endif

#define TOP_SHIFT (PAGE_SHIFT + (PT_LEVELS - 1) * PT_INDEX_BITS)
#define MANY_PAGES 32 /* from here on one fence for all is cheaper */

/* The PPN field takes as many bits as the format has: 22 in Sv32. */
static unsigned long satp_of(paddr_t root)
{
    return SATP_MODE | (unsigned long)(root >> PAGE_SHIFT);
}

static void fence_all(void)
{
    __asm__ volatile("sfence.vma" : : : "memory");
}

/* Orders leaves only, of any size, but no entries that point to tables. */
static void fence_page(vaddr_t va)
{
    __asm__ volatile("sfence.vma %0" : : "r"(va) : "memory");
}

void mmu_load(paddr_t root)
{
    fence_all(); /* the table's own stores come before its use */
    csr_write(satp, satp_of(root));
    fence_all();
}

void mmu_flush(paddr_t root, vaddr_t va, size_t len, size_t stride,
               unsigned what)
{
    if (root && csr_read(satp) != satp_of(root))
        return; /* mmu_load will fence */
    if (what & MMU_TABLES || len / stride > MANY_PAGES) {
        fence_all();
        return;
    }
    for (size_t done = 0; done < len; done += stride)
        fence_page(va + done);
}

/* A write of a mode that is not there leaves satp as it was. While the mode is
 * on, the next instructions are found through the table, so it maps everything
 * to itself. */
bool mmu_is_supported(void)
{
    static pte_t root[1 << PT_INDEX_BITS] __attribute__((aligned(4096)));
    unsigned long want = satp_of((vaddr_t)root), seen;

    for (size_t i = 0; i < ARRAY_SIZE(root); i++)
        root[i] = pte_leaf((paddr_t)i << TOP_SHIFT, P_READ | P_WRITE | P_EXEC,
                           PT_LEVELS - 1);
    __asm__ volatile("sfence.vma\n\t"
                     "csrw satp, %1\n\t"
                     "csrr %0, satp\n\t"
                     "csrw satp, zero\n\t"
                     "sfence.vma"
                     : "=&r"(seen)
                     : "r"(want)
                     : "memory");
    return seen == want;
}

const char *arch_mmu_features(void)
{
    static char text[80];
    snprintf(text, sizeof(text),
             "execute control, Svpbmt %s, Svadu %s, Sstc %s",
             tree_isa_has(&machine, "svpbmt") ? "present" : "absent",
             tree_isa_has(&machine, "svadu") ? "present" : "absent",
             tree_isa_has(&machine, "sstc") ? "present" : "absent");
    return text;
}
