/* The ends of what each format can express, and the kernel's part of a map. */
#include "paging_fixture.h"

#include <string.h>

#include <oct/assert.h>
#include <oct/errno.h>

#define PAGE PAGE_SIZE
#define RW (P_READ | P_WRITE)

static struct pagemap m;

static void refuse(struct test_result *result, vaddr_t va, paddr_t pa,
                   size_t len, unsigned prot)
{
    struct state before = state_of(&m);
    EXPECT(paging_map(&m, va, pa, len, prot) == -EINVAL);
    EXPECT(is_state(&m, &before));
}

/* The range is bad, whatever is to be done with it. */
static void refuse_range(struct test_result *result, vaddr_t va, size_t len)
{
    CALL(refuse, va, 0x1000, len, RW);
    struct state before = state_of(&m);
    EXPECT(paging_unmap(&m, va, len) == -EINVAL);
    EXPECT(paging_protect(&m, va, len, P_READ) == -EINVAL);
    EXPECT(paging_pin(&m, va, len) == -EINVAL);
    EXPECT(is_state(&m, &before));
}

TEST(limits_bad_arguments)
{
    fixture_start(&m);
    vaddr_t va = fixture_va(4 * MiB);
    EXPECT(paging_map(&m, va, 0x4000, 4 * PAGE, RW) == 0);
    CALL(refuse_range, va + 1, PAGE);
    CALL(refuse_range, va + 0x800, PAGE);
    CALL(refuse_range, va, PAGE + 1);
    CALL(refuse_range, va, 1);
    CALL(refuse_range, va, 0);
    CALL(refuse_range, va, -va);
    CALL(refuse_range, va, -va + PAGE);
    CALL(refuse_range, va, (size_t)-PAGE);
    CALL(refuse, va, 0x1001, PAGE, RW);
    CALL(refuse, va, 0x1800, PAGE, RW);
    CALL(refuse, va, 0x1000, PAGE, 0);
    CALL(refuse, va, 0x1000, PAGE, P_WRITE);
    CALL(refuse, va, 0x1000, PAGE, RW | 0x40);
    CALL(refuse, va, 0x1000, PAGE, RW | 0x80000000u);
    EXPECT(paging_protect(&m, va, PAGE, P_WRITE) == -EINVAL);
    EXPECT(paging_protect(&m, va, PAGE, RW | 0x40) == -EINVAL);
    EXPECT(is_mapped_to(&m, va, 0x4000, 4 * PAGE, RW));
}

/* The highest page below the gap (or of all), and nothing past it. */
TEST(limits_top_of_the_lower_half)
{
    fixture_start(&m);
    vaddr_t last = fixture_last() - (PAGE - 1);
    EXPECT(paging_map(&m, last, 0x9000, PAGE, RW) == 0);
    EXPECT(is_mapped_to(&m, last, 0x9000, PAGE, RW));
    EXPECT(paging_protect(&m, last, PAGE, P_READ) == 0);
    EXPECT(is_mapped_to(&m, last, 0x9000, PAGE, P_READ));
    CALL(refuse_range, last, 2 * PAGE);
    CALL(refuse_range, last + PAGE, PAGE);
    CALL(refuse_range, last - PAGE, 4 * PAGE);
    EXPECT(paging_unmap(&m, last, PAGE) == 0);
    EXPECT(m.tables == 1);
}

/* Addresses whose upper bits do not repeat the highest one that counts. */
TEST(limits_addresses_in_the_gap)
{
    fixture_start(&m);
    for (unsigned bit = host_mmu->va_bits; bit < 64; bit++)
        CALL(refuse_range, (1ull << bit) + fixture_va(4 * MiB), PAGE);
    for (unsigned bit = host_mmu->va_bits; bit < 64; bit++)
        CALL(refuse_range, -(1ull << bit) - PAGE, PAGE);
    EXPECT(cpu_finds(&m, (1ull << host_mmu->va_bits)).fault ==
           SOFT_NONCANONICAL);
}

TEST(limits_upper_half)
{
    SKIP_IF(!host_mmu->sign_extended, "the format has no upper half");
    fixture_start(&m);
    vaddr_t top = -PAGE, first = ~fixture_last();
    EXPECT(paging_map(&m, top, 0x9000, PAGE, RW) == 0);
    EXPECT(is_mapped_to(&m, top, 0x9000, PAGE, RW));
    EXPECT(paging_map(&m, first, 0xa000, PAGE, RW) == 0);
    EXPECT(is_mapped_to(&m, first, 0xa000, PAGE, RW));
    EXPECT(paging_unmap(&m, first, 0 - first) == 0);
    EXPECT(m.tables == 1);
    CALL(refuse_range, top, 2 * PAGE);
    CALL(refuse_range, first - PAGE, 2 * PAGE);
    CALL(refuse_range, fixture_last() + 1 - PAGE, 0 - fixture_last());
}

/* A query must not see the translation of another address. (Where all 32-bit
 * addresses are valid the kernel has no others to ask about.) */
TEST(limits_query_in_the_gap)
{
    SKIP_IF(!host_mmu->sign_extended, "the format has no gap");
    fixture_start(&m);
    vaddr_t va = fixture_va(4 * MiB);
    EXPECT(paging_map(&m, va, 0x9000, PAGE, RW) == 0);
    for (unsigned bit = host_mmu->va_bits; bit < 64; bit++)
        EXPECT(!paging_query(&m, va + (1ull << bit)).present);
}

/* Frames up to the format's physical width, and none beyond. */
TEST(limits_physical_width)
{
    fixture_start(&m);
    paddr_t end = 1ull << host_mmu->pa_bits;
    uint64_t big = soft_span(host_mmu, 1);
    vaddr_t va = fixture_va(big);
    EXPECT(paging_map(&m, va, end - PAGE, PAGE, RW) == 0);
    EXPECT(is_mapped_to(&m, va, end - PAGE, PAGE, RW));
    EXPECT(paging_map(&m, va + big, end - big, big, RW) == 0);
    EXPECT(is_mapped_to(&m, va + big, end - big, big, RW));
    CALL(refuse, va + 2 * big, end, PAGE, RW);
    CALL(refuse, va + 2 * big, end - PAGE, 2 * PAGE, RW);
    CALL(refuse, va + 2 * big, end << 1, PAGE, RW);
    CALL(refuse, va + 2 * big, -PAGE, PAGE, RW);
    CALL(refuse, va + 2 * big, -PAGE, 2 * PAGE, RW);
    CALL(refuse, va + 2 * big, -big, 2 * big, RW);
}

/* Each bit of a frame's address, in a page and in a large page. */
TEST(limits_every_physical_bit)
{
    fixture_start(&m);
    uint64_t big = soft_span(host_mmu, 1);
    vaddr_t va = fixture_va(big);
    for (unsigned bit = 12; bit < host_mmu->pa_bits; bit++) {
        paddr_t pa = 1ull << bit;
        EXPECT(paging_map(&m, va, pa, PAGE, RW) == 0);
        EXPECT(is_mapped_to(&m, va, pa, PAGE, RW));
        EXPECT(paging_unmap(&m, va, PAGE) == 0);
        if (pa % big != 0)
            continue;
        EXPECT(paging_map(&m, va, pa, big, RW) == 0);
        EXPECT(m.tables < host_mmu->levels);
        EXPECT(is_mapped_to(&m, va, pa, big, RW));
        EXPECT(paging_unmap(&m, va, big) == 0);
    }
}

/* --- the kernel's part --- */

TEST(shared_part_is_refused_to_users)
{
    SKIP_IF(SHARED_SIZE == 0, "user maps share nothing");
    fixture_start(&m);
    CALL(refuse_range, SHARED_START, PAGE);
    CALL(refuse_range, SHARED_START + SHARED_SIZE - PAGE, PAGE);
    CALL(refuse_range, SHARED_START + SHARED_SIZE - PAGE, 2 * PAGE);
    CALL(refuse_range, SHARED_START, SHARED_SIZE + 4 * MiB);
    EXPECT(paging_map(&m, SHARED_START + SHARED_SIZE, 0, PAGE, RW) == 0);
}

/* What the kernel maps later, and unmaps, is the same in all maps. */
TEST(shared_part_follows_the_kernel)
{
    SKIP_IF(SHARED_SIZE == 0, "user maps share nothing");
    fixture_start(&m);
    size_t big = soft_span(host_mmu, 1);
    vaddr_t va = WINDOW_START + big;
    unsigned prot = RW | P_GLOBAL;
    size_t tables = kernel_map.tables;
    EXPECT(paging_map(&kernel_map, va, 0x7000, 3 * PAGE, prot) == 0);
    EXPECT(is_mapped_to(&m, va, 0x7000, 3 * PAGE, prot));
    EXPECT(paging_unmap(&kernel_map, va, 3 * PAGE) == 0);
    EXPECT(is_hole(&m, va, 3 * PAGE));
    EXPECT(paging_check(&m) == NULL);
    EXPECT(paging_check(&kernel_map) == NULL);
    paging_destroy(&m);
    EXPECT(kernel_map.tables <= tables);
    EXPECT(paging_map(&kernel_map, va, 0x7000, PAGE, prot) == 0);
    EXPECT(is_mapped_to(&kernel_map, va, 0x7000, PAGE, prot));
}

/* All CPUs and maps may hold kernel translations: root 0 means that. */
TEST(shared_part_is_flushed_everywhere)
{
    fixture_start(&m);
    log_start();
    EXPECT(paging_map(&kernel_map, WINDOW_START, 0x7000, PAGE, RW) == 0);
    EXPECT(paging_unmap(&kernel_map, WINDOW_START, PAGE) == 0);
    EXPECT(flush_logged == 2);
    EXPECT(flush_log[0].root == 0 && flush_log[1].root == 0);
}

/* The root register of x86 holds 32 bits, of PAE 32-byte aligned. */
TEST(limits_root_is_reachable)
{
    const struct host_bank banks[] = {{DIRECT_START, 64 * MiB},
                                      {DIRECT_START + 4 * GiB, 64 * MiB}};
    const struct mem_range ranges[] = {
        {DIRECT_START, 64 * MiB, MEM_FREE},
        {DIRECT_START + 4 * GiB, 64 * MiB, MEM_FREE},
        {DIRECT_START, MiB, MEM_FIRMWARE},
    };
    host_ram(banks, 2);
    host_start(host_boot(ranges, ARRAY_SIZE(ranges)));
    EXPECT(paging_create(&m) == 0);
    EXPECT(m.root < DIRECT_END && m.root % PAGE == 0);
    EXPECT(paging_map(&m, fixture_va(GiB), 0, 8 * MiB + PAGE, RW) == 0);
    EXPECT(is_mapped_to(&m, fixture_va(GiB), 0, 8 * MiB + PAGE, RW));
}
