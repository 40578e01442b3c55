#include "format.h"
#include "env.h"
#include "faketlb.h"

#include <arch/layout.h>
#include <oct/assert.h>
#include <oct/mmu.h>

#include "mm/paging.h"
#include "mm/pmm.h"

#define WINDOW_ALIGN (4 * MiB)
#define STRING2(x) #x
#define STRING(x) STRING2(x)

static struct pagemap maps[FORMAT_MAPS];
static const char *verdict; /* first thing that went wrong since tlb_watch */
static struct {
    bool on;
    paddr_t root;
    uint64_t window_size;
    vaddr_t va, last; /* what may change */
} watched;

static void fill_windows(void)
{
    for (unsigned i = 0; i < FORMAT_WINDOWS; i++) {
        vaddr_t va = FORMAT_OPS.window[i];
        tlb_fill(watched.root, va, va + (watched.window_size - 1));
    }
}

static void found(const char *wrong)
{
    if (!verdict)
        verdict = wrong;
}

/* Another CPU looks at every page just when a flush is done: what changes
 * afterwards needs another flush. */
static void on_flush(const struct host_flush *f, bool after)
{
    (void)f;
    if (!watched.on)
        return;
    if (after)
        fill_windows();
    else
        found(tlb_check_outside(watched.va, watched.last));
}

/* The linker puts this between mm/ and the frame manager. */
int __real_frames_free(struct frames *m, paddr_t pa, size_t n);
int __wrap_frames_free(struct frames *m, paddr_t pa, size_t n);

int __wrap_frames_free(struct frames *m, paddr_t pa, size_t n)
{
    if (watched.on && tlb_uses_table(pa))
        found("tlb: a table was freed that a CPU may still walk through");
    return __real_frames_free(m, pa, n);
}

static void watch(unsigned map, uint64_t window_size, uint64_t va, uint64_t len)
{
    tlb_forget(maps[map].root);
    watched.on = true;
    watched.root = maps[map].root;
    watched.window_size = window_size;
    watched.va = va;
    watched.last = va + (len - 1);
    verdict = NULL;
    fill_windows();
}

static const char *watch_end(void)
{
    found(tlb_check());
    watched.on = false;
    return verdict;
}

static void start(void)
{
    host_on_flush = on_flush;
    host_machine(DIRECT_START, 16 * MiB);
    pmm_set_junk(true);
}

static int create(unsigned map)
{
    return paging_create(&maps[map]);
}

static void destroy(unsigned map)
{
    tlb_forget(maps[map].root);
    paging_destroy(&maps[map]);
}

static int do_map(unsigned map, uint64_t va, uint64_t pa, uint64_t len,
                  unsigned prot)
{
    return paging_map(&maps[map], va, pa, len, prot);
}

static int unmap(unsigned map, uint64_t va, uint64_t len)
{
    return paging_unmap(&maps[map], va, len);
}

static int protect(unsigned map, uint64_t va, uint64_t len, unsigned prot)
{
    return paging_protect(&maps[map], va, len, prot);
}

static struct format_found query(unsigned map, uint64_t va)
{
    struct mapping m = paging_query(&maps[map], va);
    return (struct format_found){m.present, m.level, m.prot, m.va, m.len, m.pa};
}

static struct soft_walk translate(unsigned map, uint64_t va)
{
    return soft_translate(host_mmu, host_view, maps[map].root, va);
}

static struct soft_tree survey(unsigned map)
{
    uint64_t from = SHARED_SIZE ? SHARED_START + SHARED_SIZE : 0;
    return soft_survey(host_mmu, host_view, maps[map].root, from, ~0ull);
}

static size_t tables(unsigned map)
{
    return maps[map].tables;
}

static const char *check(unsigned map)
{
    const char *wrong = paging_check(&maps[map]);
    return wrong ? wrong : pmm_check();
}

static size_t free_frames(void)
{
    struct frames_stats stats;
    pmm_stats(&stats);
    return stats.free;
}

const struct format_ops FORMAT_OPS = {
    .name = STRING(HOST_MMU),
    .mmu = &HOST_SOFT,
    .window =
        {
            0xc0000000 - 8 * MiB,
            (USER_START + WINDOW_ALIGN - 1) / WINDOW_ALIGN *WINDOW_ALIGN,
            (USER_END - 12 * MiB) / WINDOW_ALIGN *WINDOW_ALIGN,
        },
    .start = start,
    .create = create,
    .destroy = destroy,
    .map = do_map,
    .unmap = unmap,
    .protect = protect,
    .query = query,
    .translate = translate,
    .effective = paging_effective,
    .survey = survey,
    .tables = tables,
    .check = check,
    .free_frames = free_frames,
    .fail_after = pmm_fail_after,
    .watch = watch,
    .watch_end = watch_end,
};
