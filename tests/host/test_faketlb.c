/* The fake TLB has to be as weak as the machine allows: entries are changed
 * behind the walker's back, and only the flush that the format's manual asks
 * for makes the TLB agree again. */
#include "paging_fixture.h"

#include <string.h>

#include <oct/mmu.h>

#define PAGE PAGE_SIZE
#define RW (P_READ | P_WRITE)

static struct pagemap m;
static vaddr_t va;

/* Two neighbouring pages, and a CPU that has seen them and the hole behind. */
static void start(struct test_result *result)
{
    fixture_start(&m);
    va = fixture_va(GiB) + 8 * PAGE;
    EXPECT(paging_map(&m, va, 0x8000, 2 * PAGE, RW) == 0);
    tlb_fill(m.root, va, va + 3 * PAGE - 1);
    EXPECT(tlb_size() > 2 && tlb_check() == NULL);
}

/* Overwrites the entry for `at` at a level. */
static void store(vaddr_t at, unsigned level, uint64_t entry)
{
    struct soft_walk w = cpu_finds(&m, at);
    uint64_t index =
        at / soft_span(host_mmu, level) % (4096 / host_mmu->entry_bytes);
    paddr_t slot =
        w.table[host_mmu->levels - 1 - level] + index * host_mmu->entry_bytes;
    memcpy(host_view(slot, 8), &entry, host_mmu->entry_bytes);
}

static bool agrees_after(vaddr_t at, size_t len, size_t stride, unsigned what)
{
    tlb_flush(m.root, at, len, stride, what);
    return tlb_check() == NULL;
}

TEST(faketlb_keeps_pages)
{
    CALL(start);
    store(va + PAGE, 0, 0);
    EXPECT(tlb_check() != NULL);
    EXPECT(!agrees_after(va + PAGE, PAGE, PAGE, MMU_ADDED));
    EXPECT(!agrees_after(va, PAGE, PAGE, MMU_CHANGED));
    EXPECT(!agrees_after(va + 2 * PAGE, PAGE, PAGE, MMU_CHANGED));
    EXPECT(!agrees_after(va, 2 * PAGE, 2 * PAGE, MMU_CHANGED));
    tlb_flush(m.root + PAGE, va, 2 * PAGE, PAGE, MMU_CHANGED);
    EXPECT(tlb_check() != NULL);
    EXPECT(agrees_after(va, 2 * PAGE, PAGE, MMU_CHANGED));
}

TEST(faketlb_forgets_for_all_roots)
{
    CALL(start);
    store(va, 0, 0);
    EXPECT(tlb_check() != NULL);
    tlb_flush(0, va, PAGE, PAGE, MMU_CHANGED);
    EXPECT(tlb_check() == NULL);
}

/* A table that is unlinked above: leaves alone are not enough on RISC-V. */
TEST(faketlb_keeps_tables)
{
    CALL(start);
    paddr_t leaves = cpu_finds(&m, va).table[host_mmu->levels - 1];
    EXPECT(tlb_uses_table(leaves));
    store(va, 1, 0);
    EXPECT(tlb_check() != NULL);
    bool agrees = agrees_after(va, 2 * PAGE, PAGE, MMU_CHANGED);
    EXPECT(agrees == host_mmu->upper_with_leaf);
    EXPECT(agrees == !tlb_uses_table(leaves));
    EXPECT(agrees_after(va, 2 * PAGE, PAGE, MMU_CHANGED | MMU_TABLES));
    EXPECT(!tlb_uses_table(leaves));
}

/* The PAE root is in registers: INVLPG does not read it again. */
TEST(faketlb_latches_the_root)
{
    SKIP_IF(!host_mmu->root_latched, "the root is read from memory");
    CALL(start);
    store(va, 2, 0);
    EXPECT(!agrees_after(va, 3 * PAGE, PAGE, MMU_CHANGED | MMU_ADDED));
    EXPECT(agrees_after(va, 3 * PAGE, PAGE, MMU_CHANGED | MMU_TABLES));
}

TEST(faketlb_keeps_holes_where_cpus_may)
{
    CALL(start);
    uint64_t entry = 0;
    struct soft_walk w = cpu_finds(&m, va);
    paddr_t slot =
        w.table[host_mmu->levels - 1] +
        va / PAGE % (4096 / host_mmu->entry_bytes) * host_mmu->entry_bytes;
    memcpy(&entry, host_view(slot, 8), host_mmu->entry_bytes);
    store(va + 2 * PAGE, 0, entry);
    EXPECT((tlb_check() != NULL) == host_mmu->caches_absent);
    EXPECT(agrees_after(va + 2 * PAGE, PAGE, PAGE, MMU_ADDED));
}
