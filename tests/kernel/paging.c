/* Page maps on the running machine: what is mapped is what the CPU reaches.
 * V1 to V6 are defects of the original (docs/testing.md). The random stream
 * against a model and a software MMU runs on the host (tests/host). */
#include "mm/paging.h"
#include "mm/pmm.h"
#include "mm/vmap.h"
#include "tests/kernel/support.h"

#include <oct/errno.h>
#include <oct/kview.h>
#include <oct/report.h>
#include <oct/string.h>

#define LARGE paging_span(1)
#define RW (P_READ | P_WRITE)
#define USER (RW | P_USER)

/* A user address that all formats have, at a large page. */
#define AT ((vaddr_t)0x90000000)

static void make(struct test_result *result, struct pagemap *m)
{
    EXPECT(paging_create(m) == 0);
    EXPECT(paging_check(m) == NULL);
}

static bool maps(struct pagemap *m, vaddr_t va, paddr_t pa, unsigned level,
                 unsigned prot)
{
    struct mapping found = paging_query(m, va);
    return found.present && found.level == level &&
           found.pa + (va - found.va) == pa &&
           found.prot == paging_effective(prot);
}

/* V3: rights are read back, remapping is refused, holes are holes. */
TEST(paging_map_and_query)
{
    struct pagemap m;
    CALL(make, &m);
    EXPECT(paging_map(&m, AT, 0x400000, PAGE_SIZE, USER) == 0);
    EXPECT(maps(&m, AT, 0x400000, 0, USER));
    EXPECT(!paging_query(&m, AT + PAGE_SIZE).present);
    EXPECT(!paging_query(&m, AT - PAGE_SIZE).present);
    EXPECT(paging_map(&m, AT, 0x500000, PAGE_SIZE, USER) == -EEXIST);
    EXPECT(paging_map(&m, AT - LARGE, 0x800000, 2 * LARGE, USER) == -EEXIST);
    EXPECT(!paging_query(&m, AT - LARGE).present);
    EXPECT(maps(&m, AT, 0x400000, 0, USER));
    EXPECT(paging_check(&m) == NULL);
    EXPECT(paging_protect(&m, AT, PAGE_SIZE, P_READ | P_USER) == 0);
    EXPECT(maps(&m, AT, 0x400000, 0, P_READ | P_USER));
    EXPECT(paging_unmap(&m, AT, PAGE_SIZE) == 0);
    EXPECT(m.tables == 1 && paging_check(&m) == NULL);
    paging_destroy(&m);
}

TEST(paging_large_pages)
{
    struct pagemap m;
    CALL(make, &m);
    EXPECT(paging_map(&m, AT, LARGE, 2 * LARGE, USER) == 0);
    EXPECT(maps(&m, AT, LARGE, 1, USER));
    EXPECT(maps(&m, AT + LARGE + 0x3000, 2 * LARGE + 0x3000, 1, USER));
    size_t tables = m.tables;
    EXPECT(paging_protect(&m, AT + 0x5000, PAGE_SIZE, P_READ | P_USER) == 0);
    EXPECT(m.tables == tables + 1);
    EXPECT(maps(&m, AT + 0x5000, LARGE + 0x5000, 0, P_READ | P_USER));
    EXPECT(maps(&m, AT + 0x4000, LARGE + 0x4000, 0, USER));
    EXPECT(maps(&m, AT + 0x6000, LARGE + 0x6000, 0, USER));
    EXPECT(maps(&m, AT + LARGE, 2 * LARGE, 1, USER));
    EXPECT(paging_check(&m) == NULL);
    EXPECT(paging_unmap(&m, AT, LARGE) == 0);
    EXPECT(m.tables == tables);
    EXPECT(paging_unmap(&m, AT, 8 * LARGE) == 0);
    EXPECT(m.tables == 1);
    paging_destroy(&m);
}

/* Physical memory that is not aligned like the virtual takes small pages. */
TEST(paging_misaligned_is_small)
{
    struct pagemap m;
    CALL(make, &m);
    EXPECT(paging_map(&m, AT, LARGE + PAGE_SIZE, LARGE, USER) == 0);
    EXPECT(maps(&m, AT, LARGE + PAGE_SIZE, 0, USER));
    EXPECT(maps(&m, AT + LARGE - PAGE_SIZE, 2 * LARGE, 0, USER));
    paging_destroy(&m);
}

TEST(paging_bad_arguments)
{
    struct pagemap m;
    CALL(make, &m);
    paddr_t top = 1ull << PT_PA_BITS;
    EXPECT(paging_map(&m, AT, 0, 0, USER) == -EINVAL);
    EXPECT(paging_map(&m, AT + 1, 0, PAGE_SIZE, USER) == -EINVAL);
    EXPECT(paging_map(&m, AT, 1, PAGE_SIZE, USER) == -EINVAL);
    EXPECT(paging_map(&m, AT, 0, PAGE_SIZE + 1, USER) == -EINVAL);
    EXPECT(paging_map(&m, AT, 0, (size_t)0 - PAGE_SIZE, USER) == -EINVAL);
    EXPECT(paging_map(&m, (vaddr_t)0 - PAGE_SIZE, 0, 2 * PAGE_SIZE, USER) ==
           -EINVAL);
    EXPECT(paging_map(&m, AT, top, PAGE_SIZE, USER) == -EINVAL);
    EXPECT(paging_map(&m, AT, top - PAGE_SIZE, 2 * PAGE_SIZE, USER) == -EINVAL);
    EXPECT(paging_map(&m, AT, 0, PAGE_SIZE, P_WRITE) == -EINVAL);
    EXPECT(paging_map(&m, AT, 0, PAGE_SIZE, P_READ | 0x4000) == -EINVAL);
    EXPECT(paging_unmap(&m, AT, 0) == -EINVAL);
    EXPECT(paging_protect(&m, AT, PAGE_SIZE, 0) == -EINVAL);
    if (SHARED_SIZE > 0)
        EXPECT(paging_map(&m, SHARED_START + SHARED_SIZE - PAGE_SIZE, 0,
                          2 * PAGE_SIZE, USER) == -EINVAL);
    EXPECT(m.tables == 1 && paging_check(&m) == NULL);
    paging_destroy(&m);
}

/* V2: the last page below each level's border, and at the very top. */
TEST(paging_last_pages)
{
    struct pagemap m;
    CALL(make, &m);
    for (unsigned level = 1; level < PT_LEVELS; level++) {
        vaddr_t va = round_up(AT, paging_span(level)) - PAGE_SIZE;
        if (va >= USER_END - PAGE_SIZE)
            continue;
        paddr_t pa = (1ull << PT_PA_BITS) - PAGE_SIZE * level;
        int error = paging_map(&m, va, pa, PAGE_SIZE, USER);
        EXPECT(error == 0 || error == -EEXIST);
        if (!error)
            EXPECT(maps(&m, va, pa, 0, USER));
    }
    EXPECT(paging_map(&m, USER_END - PAGE_SIZE, 0, PAGE_SIZE, USER) == 0);
    EXPECT(maps(&m, USER_END - PAGE_SIZE, 0, 0, USER));
    EXPECT(paging_check(&m) == NULL);
    paging_destroy(&m);
}

/* The k-th table cannot be had, for every k: nothing changes. */
TEST(paging_out_of_memory)
{
    struct pagemap m;
    CALL(make, &m);
    EXPECT(paging_map(&m, AT, 2 * LARGE, 2 * LARGE, USER) == 0);
    size_t tables = m.tables, frames = frames_left();
    vaddr_t va = AT - 3 * LARGE + PAGE_SIZE;
    int error = -ENOMEM;
    for (long k = 0; error == -ENOMEM; k++) {
        EXPECT(k < 20);
        pmm_fail_after(k);
        error = paging_map(&m, va, PAGE_SIZE, 2 * LARGE, USER);
        pmm_fail_after(-1);
        EXPECT(paging_check(&m) == NULL);
        if (error)
            EXPECT(m.tables == tables && frames_left() == frames);
    }
    EXPECT(error == 0);
    tables = m.tables, frames = frames_left();
    pmm_fail_after(0);
    error = paging_unmap(&m, AT + PAGE_SIZE, PAGE_SIZE);
    int other = paging_protect(&m, AT + PAGE_SIZE, LARGE, P_READ | P_USER);
    pmm_fail_after(-1);
    EXPECT(error == -ENOMEM && other == -ENOMEM);
    EXPECT(m.tables == tables && frames_left() == frames);
    EXPECT(maps(&m, AT, 2 * LARGE, 1, USER));
    paging_destroy(&m);
}

/* V1, V6: through a fresh mapping the CPU reaches the frame, to read and write;
 * after unmapping and mapping anew it reaches the new one. */
TEST(paging_cpu_sees_it)
{
    paddr_t one = pmm_alloc(), two = pmm_alloc();
    EXPECT(one && two);
    stamp(phys_to_virt(one), PAGE_SIZE, 1);
    stamp(phys_to_virt(two), PAGE_SIZE, 2);
    for (unsigned round = 0; round < 3; round++) {
        char *p = vmap(one, PAGE_SIZE, RW);
        EXPECT(p && !memcmp(p, phys_to_virt(one), PAGE_SIZE));
        p[100] = (char)(p[100] + 1);
        EXPECT(p[100] == ((char *)phys_to_virt(one))[100]);
        vunmap(p);
        char *q = vmap(two, PAGE_SIZE, RW);
        EXPECT(q == p && !memcmp(q, phys_to_virt(two), PAGE_SIZE));
        vunmap(q);
    }
    EXPECT(pmm_free(one) == 0 && pmm_free(two) == 0);
}

/* A large page is split while the CPU uses it: it never means something else.
 */
TEST(paging_split_in_use)
{
    paddr_t pa = pmm_alloc_run(LARGE / PAGE_SIZE, LARGE, DIRECT_END);
    SKIP_IF(!pa, "no large page is free");
    char *p = vmap(pa, LARGE, RW);
    EXPECT(p != NULL);
    for (size_t i = 0; i < LARGE; i += PAGE_SIZE)
        stamp(p + i, 64, (uint32_t)i);
    EXPECT(paging_protect(&kernel_map, (vaddr_t)p + PAGE_SIZE, PAGE_SIZE,
                          P_READ | P_GLOBAL) == 0);
    for (size_t i = 0; i < LARGE; i += PAGE_SIZE)
        EXPECT(stamped(p + i, 64, (uint32_t)i));
    p[0]++;
    p[2 * PAGE_SIZE]++;
    vunmap(p);
    EXPECT(pmm_frees(pa, LARGE / PAGE_SIZE) == 0);
}

TEST(paging_many_maps)
{
    static struct pagemap m[16];
    for (size_t i = 0; i < ARRAY_SIZE(m); i++) {
        CALL(make, &m[i]);
        EXPECT(paging_map(&m[i], AT, i * LARGE, LARGE, USER) == 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(m); i++) {
        EXPECT(maps(&m[i], AT, i * LARGE, 1, USER));
        paging_destroy(&m[i]);
    }
}

/* --- windows --- */

TEST(vmap_guards)
{
    paddr_t pa = pmm_alloc();
    EXPECT(pa);
    char *p = vmap(pa, PAGE_SIZE, RW), *q = vmap(pa, PAGE_SIZE, RW);
    EXPECT(p && q && p != q);
    EXPECT(!paging_query(&kernel_map, (vaddr_t)p + PAGE_SIZE).present);
    EXPECT(!paging_query(&kernel_map, (vaddr_t)q + PAGE_SIZE).present);
    unsigned long reports = report_count();
    vunmap(p + 1);
    vunmap(p + PAGE_SIZE);
    vunmap((void *)WINDOW_END);
    EXPECT(report_count() == reports + 3);
    vunmap(p);
    vunmap(p);
    EXPECT(report_count() == reports + 4);
    vunmap(q);
    vunmap(NULL);
    EXPECT(pmm_free(pa) == 0);
    EXPECT(vmap_check() == NULL);
}

TEST(vmap_all_or_nothing)
{
    struct vmap_stats before, after;
    vmap_stats(&before);
    size_t frames = frames_left();
    EXPECT(!vmap(0, (before.pages + 1) * PAGE_SIZE, RW));
    EXPECT(!vmap(1, PAGE_SIZE, RW));
    EXPECT(!vmap(0, 0, RW));
    EXPECT(!vmap(1ull << PT_PA_BITS, PAGE_SIZE, RW));
    vmap_stats(&after);
    EXPECT(after.free == before.free && frames_left() == frames);
}

/* Device registers may be anywhere but in RAM, at any byte. */
TEST(ioremap_refuses)
{
    paddr_t pa = pmm_alloc();
    EXPECT(pa);
    unsigned long reports = report_count();
    EXPECT(!ioremap(pa, PAGE_SIZE));
    EXPECT(!ioremap(pa - 1, 2));
    EXPECT(!ioremap(0x10000000, 0));
    EXPECT(!ioremap(~0ull, 2));
    EXPECT(!ioremap(1ull << PT_PA_BITS, 16));
    EXPECT(report_count() == reports + 5);
    EXPECT(pmm_free(pa) == 0);
}

TEST(ioremap_unaligned)
{
    paddr_t hole = pmm_end() + 0x1234;
    SKIP_IF(hole >> PT_PA_BITS, "RAM fills the address space");
    char *p = ioremap(hole, 0x2000);
    EXPECT(p && ((vaddr_t)p & (PAGE_SIZE - 1)) == (hole & (PAGE_SIZE - 1)));
    struct mapping first = paging_query(&kernel_map, (vaddr_t)p);
    struct mapping last = paging_query(&kernel_map, (vaddr_t)p + 0x1fff);
    EXPECT(first.present && last.present);
    EXPECT(first.pa == round_down(hole, PAGE_SIZE));
    EXPECT(first.prot == paging_effective(RW | P_DEVICE | P_GLOBAL));
    EXPECT(last.pa == first.pa + 2 * PAGE_SIZE);
    iounmap(p);
    EXPECT(!paging_query(&kernel_map, (vaddr_t)p).present);
}
