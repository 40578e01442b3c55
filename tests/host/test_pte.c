/* The codec by itself, also on entries that the walker never makes. */
#include "env.h"
#include "faketlb.h"
#include "kernel/ktest.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include <arch/pte.h>

#define PAGE 4096
#define FLAGS 0x400u /* combinations of the bits below a frame number */

/* Aligned to every leaf, and far from where flags are. */
static paddr_t frame_at(unsigned level)
{
    uint64_t span = soft_span(host_mmu, level);
    return span < 1ull << 32 ? (0xc0000000 & ~(span - 1)) : span;
}

static void compare_leaf(struct test_result *result, pte_t e,
                         const struct soft_walk *cpu)
{
    struct soft_walk want = {0};
    unsigned prot = pte_prot(e);
    bool readable = cpu->may[false][SOFT_READ] || cpu->may[true][SOFT_READ];
    if (cpu->wants_update)
        return;
    EXPECT(!(prot & P_READ) == !readable);
    host_mmu->expect(prot, &want);
    EXPECT(!readable || !memcmp(want.may, cpu->may, sizeof(want.may)));
    EXPECT(want.global == cpu->global);
}

/* One pattern of flags, read by the codec and as the manual says. */
static void compare_flags(struct test_result *result, unsigned flags,
                          unsigned level)
{
    pte_t blank = pte_table(frame_at(level), level) & ~(pte_t)(FLAGS - 1);
    pte_t e = blank | flags;
    struct soft_walk cpu = {.level = level};
    bool is_table = false;
    memset(cpu.may, true, sizeof(cpu.may));
    host_mmu->decode(host_mmu, e, &cpu, &is_table);
    EXPECT(pte_present(e) == (cpu.fault != SOFT_ABSENT));
    EXPECT(level > 0 || !pte_is_table(e, level));
    if (!is_table)
        EXPECT(!pte_is_table(e, level));
    if (cpu.fault != SOFT_OK)
        return;
    EXPECT(pte_is_table(e, level) == is_table);
    EXPECT(pte_addr(e) == cpu.pa);
    if (!is_table)
        CALL(compare_leaf, e, &cpu);
}

TEST(pte_reads_every_combination_of_flags)
{
    for (unsigned level = 0; level < host_mmu->levels; level++)
        for (unsigned flags = 0; flags < FLAGS; flags++)
            CALL(compare_flags, flags, level);
}

/* Bits above the frame number are not part of it. */
TEST(pte_address_has_nothing_above_it)
{
    pte_t e = pte_leaf(0x1234000, P_READ, 0);
    for (unsigned bit = 54; bit < 8 * sizeof(pte_t); bit++)
        EXPECT(pte_addr(e | (pte_t)(1ull << bit)) == 0x1234000);
    EXPECT(pte_addr(e) == 0x1234000);
}

/* Reading is a right that no format takes away. */
TEST(pte_always_readable)
{
    EXPECT(PT_PROT_ALWAYS & P_READ);
    EXPECT(PT_PROT_STORED & P_READ);
    EXPECT(!(PT_PROT_STORED & ~(unsigned)P_ALL));
}

/* Whatever was there, afterwards there is what was stored. */
TEST(pte_stores_the_whole_entry)
{
    const uint64_t values[] = {0, 0x8000000712345067, 0x0000000389abc023,
                               0x0123456789abcdee, 0xfedcba9876543210};
    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
            pte_t slot = (pte_t)values[i];
            pte_set(&slot, (pte_t)values[j], 0);
            EXPECT(slot == (pte_t)values[j]);
        }
}

/* A 32-bit CPU stores a PAE entry in two halves. The other CPUs walk at any
 * moment, so the low half, which holds the present bit, must be written last
 * when an entry becomes present and first when it becomes absent. Here the
 * halves lie in two pages, one of which faults when it is written. */

static sigjmp_buf at_fault;

static void on_fault(int signal)
{
    (void)signal;
    siglongjmp(at_fault, 1);
}

static uint32_t *low, *high; /* on either side of a page boundary */

static bool make_halves(void)
{
    char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    low = (uint32_t *)(p + PAGE) - 1;
    high = low + 1;
    return p != MAP_FAILED;
}

/* Stores `to` over `from` and stops when it comes to write `half`; `other` is
 * what the other half is at that moment. False if it never came. */
static bool stops_at(uint64_t from, uint64_t to, uint32_t *half,
                     uint32_t *other)
{
    char *page = (char *)((uintptr_t)half & ~(uintptr_t)(PAGE - 1));
    *low = (uint32_t)from;
    *high = (uint32_t)(from >> 32);
    signal(SIGSEGV, on_fault);
    mprotect(page, PAGE, PROT_READ);
    bool stopped = sigsetjmp(at_fault, 1) != 0;
    if (!stopped)
        pte_set((pte_t *)(void *)low, (pte_t)to, 0);
    mprotect(page, PAGE, PROT_READ | PROT_WRITE);
    signal(SIGSEGV, SIG_DFL);
    *other = half == low ? *high : *low;
    return stopped;
}

TEST(pte_halves_are_stored_in_order)
{
    const uint64_t one = 0x8000000712345067, two = 0x0000000389abc023;
    uint32_t other;
    SKIP_IF(host_mmu != &soft_pae, "an entry is stored at once");
    EXPECT(make_halves());
    EXPECT(stops_at(0, one, low, &other) && other == one >> 32);
    EXPECT(stops_at(one, 0, high, &other) && other == 0);
    EXPECT(stops_at(one & ~1ull, two, low, &other) && other == two >> 32);
    EXPECT(stops_at(one, two & ~1ull, high, &other) &&
           other == (uint32_t)(two & ~1ull));
}
