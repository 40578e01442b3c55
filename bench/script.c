/* One list of operations, the same for every machine, whose outcome must be the
 * same too, wherever the formats can express it: page sizes, execute rights and
 * addresses of frames are left out of the comparison. */
#include "kernel/kbench.h"
#include "mm/kheap.h"
#include "mm/paging.h"
#include "mm/pmm.h"
#include "mm/vmalloc.h"
#include "tests/kernel/support.h"

#include <oct/image.h>
#include <oct/print.h>

#define AT ((vaddr_t)0x90000000)
#define PAGES 4096
#define COMMON (P_READ | P_WRITE | P_USER) /* rights that all formats tell */

static void result(const char *name, unsigned long long value)
{
    kprintf("result %-24s %llu\n", name, value);
}

static void fact(const char *name, unsigned long long value)
{
    kprintf("fact %-24s %llu\n", name, value);
}

static uint32_t mix(uint32_t digest, uint64_t value)
{
    return (digest ^ (uint32_t)value ^ (uint32_t)(value >> 32)) * 16777619u;
}

/* What all pages of the script's range map to, in one number. */
static uint32_t digest_of(struct pagemap *m)
{
    uint32_t digest = 2166136261u;
    for (size_t i = 0; i < PAGES; i++) {
        vaddr_t va = AT + i * PAGE_SIZE;
        struct mapping found = paging_query(m, va);
        digest = mix(digest, found.present ? found.pa + (va - found.va) : 1);
        digest = mix(digest, found.prot & COMMON);
    }
    return digest;
}

static int random_edit(struct pagemap *m, struct random *r)
{
    size_t first = random_below(r, PAGES), n = 1 + random_below(r, 300);
    vaddr_t va = AT + first * PAGE_SIZE;
    unsigned prot = P_READ | P_USER | (random_below(r, 2) ? P_WRITE : 0);
    if (n > PAGES - first)
        n = PAGES - first;
    switch (random_below(r, 4)) {
    case 0:
        return paging_unmap(m, va, n * PAGE_SIZE);
    case 1:
        return paging_protect(m, va, n * PAGE_SIZE, prot);
    default:
        return paging_map(m, va, (paddr_t)first * PAGE_SIZE, n * PAGE_SIZE,
                          prot);
    }
}

static void pages_script(void)
{
    struct pagemap m;
    struct random r = {2026};
    uint32_t errors = 0;
    if (paging_create(&m))
        return;
    for (unsigned step = 0; step < 500; step++)
        errors = mix(errors, (unsigned)-random_edit(&m, &r));
    result("pages_errors", errors);
    result("pages_digest", digest_of(&m));
    paging_destroy(&m);
    if (paging_create(&m))
        return;
    if (!paging_map(&m, AT, 0, 16 * MiB, COMMON))
        fact("tables_16M_bytes", m.tables * PAGE_SIZE);
    if (!paging_unmap(&m, AT, PAGE_SIZE))
        fact("tables_16M_split_bytes", m.tables * PAGE_SIZE);
    if (!paging_unmap(&m, AT, 16 * MiB))
        result("tables_after_unmap", m.tables);
    paging_destroy(&m);
}

/* Replaces objects in random order. What they take is compared with what they
 * hold at the end, and at its highest. */
static void heap_script(void)
{
    static void *held[512];
    struct random r = {7};
    struct kheap_stats s, before;
    uint32_t sizes = 0;
    size_t peak = 0;
    kheap_stats(&before);
    for (size_t step = 0; step < 8192; step++) {
        size_t at = random_below(&r, ARRAY_SIZE(held));
        kfree(held[at]);
        held[at] = kmalloc(random_below(&r, 1000), GFP_KERNEL);
        sizes = mix(sizes, ksize(held[at]));
        if (step % 64 == 0) {
            kheap_stats(&s);
            peak = max_size(peak, s.chunks);
        }
    }
    kheap_stats(&s);
    result("heap_sizes", sizes);
    result("heap_objects", s.objects - before.objects);
    result("heap_live_bytes", s.live - before.live);
    fact("heap_peak_bytes", peak * PAGE_SIZE);
    fact("heap_live_of_peak_percent", s.live * 100 / (peak * PAGE_SIZE));
    fact("heap_overhead_bytes", s.chunks * PAGE_SIZE - s.live - s.free);
    fact("heap_longest_free", s.largest);
    for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
        kfree(held[i]);
        held[i] = NULL;
    }
}

static void frames_script(void)
{
    struct frames_stats before, after;
    static paddr_t held[64];
    struct random r = {3};
    size_t n[ARRAY_SIZE(held)], given = 0;
    pmm_stats(&before);
    for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
        n[i] = 1 + random_below(&r, 20);
        held[i] =
            pmm_alloc_run(n[i], PAGE_SIZE << random_below(&r, 5), DIRECT_END);
        given += held[i] ? n[i] : 0;
    }
    pmm_stats(&after);
    result("frames_given", given);
    result("frames_missing", before.free - after.free);
    for (size_t i = 0; i < ARRAY_SIZE(held); i++)
        given -= pmm_frees(held[i], n[i]) == 0 ? n[i] : 0;
    result("frames_kept", given);
    fact("frame_table_bytes", after.table_bytes);
    fact("kernel_tables_bytes", kernel_map.tables * PAGE_SIZE);
}

#define CHURN 8192 /* frames held, 32 MiB */

/* Replaces single frames and short runs in random order, then gives back three
 * of four: how broken up is free memory? */
static void churn_script(void)
{
    struct random r = {11};
    paddr_t *held = vzalloc(CHURN * sizeof(*held));
    uint8_t *n = vzalloc(CHURN);
    for (size_t step = 0; held && n && step < 4 * CHURN; step++) {
        size_t at = random_below(&r, CHURN);
        if (held[at])
            (void)pmm_frees(held[at], n[at]);
        n[at] = (uint8_t)(random_below(&r, 8) ? 1 : 4);
        held[at] = pmm_allocs(n[at]);
    }
    for (size_t at = 0; held && n && at < CHURN; at++)
        if (held[at] && at % 4) {
            (void)pmm_frees(held[at], n[at]);
            held[at] = 0;
        }
    struct frames_runs runs = pmm_runs();
    fact("frames_churn_longest_KiB", runs.longest * PAGE_SIZE / KiB);
    fact("frames_churn_whole_KiB", runs.whole_groups * paging_span(1) / KiB);
    for (size_t at = 0; held && n && at < CHURN; at++)
        if (held[at])
            (void)pmm_frees(held[at], n[at]);
    vfree(held);
    vfree(n);
}

void bench_script(void)
{
    kheap_trim();
    pages_script();
    heap_script();
    frames_script();
    churn_script();
    fact("kernel_image_bytes", (unsigned long long)(image_end - image_start));
}
