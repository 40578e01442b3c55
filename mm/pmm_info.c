/* What the frame manager tells about frames, and how it checks itself. */
#include "mm/pmm_banks.h"

#include <oct/assert.h>

void pmm_label(paddr_t pa, size_t n, enum frame_kind kind)
{
    lock_acquire(&pmm.lock);
    for (size_t i = 0; i < n; i++) {
        struct frame *f = frame_of(pa + i * PAGE_SIZE);
        assert(f && is_owned(f) && kind >= FRAME_KERNEL);
        set_kind(f, kind);
        f->value = has_place(f) ? (uint32_t)min_size(i, VALUE_MAX) : FRAME_ONE;
    }
    lock_release(&pmm.lock);
}

enum frame_kind pmm_kind(paddr_t pa)
{
    const struct frame *f = frame_of(pa);
    return f ? f->kind : FRAME_NONE;
}

const char *pmm_kind_name(enum frame_kind kind)
{
    static const char *const names[FRAME_KINDS] = {
        [FRAME_NONE] = "no memory",        [FRAME_FREE] = "free",
        [FRAME_FIRMWARE] = "firmware",     [FRAME_IMAGE] = "kernel image",
        [FRAME_BOOT] = "boot loader",      [FRAME_INITRD] = "initial RAM disk",
        [FRAME_EARLY] = "frame tables",    [FRAME_KERNEL] = "kernel",
        [FRAME_TABLE] = "page tables",     [FRAME_HEAP] = "heap",
        [FRAME_SLAB] = "object caches",    [FRAME_PAGES] = "alloc_pages",
        [FRAME_VMALLOC] = "vmalloc",       [FRAME_PERCPU] = "per-CPU data",
        [FRAME_WINDOWS] = "window tables", [FRAME_USER] = "user programs",
    };
    return kind < FRAME_KINDS ? names[kind] : "?";
}

/* A place of VALUE_MAX may stand for more: that many frames further down the
 * next entry tells. */
paddr_t pmm_run_start(paddr_t pa, enum frame_kind kind)
{
    assert(kind == FRAME_HEAP || kind == FRAME_SLAB);
    struct bank *b = bank_of(pa);
    if (!b)
        return 0;
    size_t unit = unit_of(b, pa), place;
    do {
        if (b->frame[unit].kind != kind)
            return 0;
        place = b->frame[unit].value;
        assert(place <= unit);
        unit -= place;
    } while (place == VALUE_MAX);
    return address_of(b, unit);
}

void pmm_stats(struct pmm_stats *out)
{
    lock_acquire(&pmm.lock);
    *out = pmm.stats;
    out->free = out->free_direct = 0;
    for (struct bank *b = pmm.banks; b < pmm.banks + pmm.bank_count; b++) {
        out->free += b->free;
        out->free_direct += b->base < DIRECT_END ? b->free : 0;
    }
    lock_release(&pmm.lock);
}

struct pmm_runs pmm_runs(void)
{
    struct pmm_runs runs = {0};
    size_t run = 0, group = (size_t)1 << PT_INDEX_BITS;
    lock_acquire(&pmm.lock);
    for (struct bank *b = pmm.banks; b < pmm.banks + pmm.bank_count; b++) {
        size_t in_group = run = 0;
        for (size_t unit = 0; unit < b->units; unit++) {
            bool free = b->frame[unit].kind == FRAME_FREE;
            run = free ? run + 1 : 0;
            in_group = (unit % group ? in_group : 0) + free;
            runs.longest = max_size(runs.longest, run);
            runs.whole_groups += in_group == group;
        }
    }
    lock_release(&pmm.lock);
    return runs;
}

paddr_t pmm_start(void)
{
    assert(pmm.bank_count > 0);
    return pmm.banks[0].base;
}

paddr_t pmm_end(void)
{
    assert(pmm.bank_count > 0);
    return bank_end(&pmm.banks[pmm.bank_count - 1]);
}

bool pmm_set_junk(bool on)
{
    bool before = pmm.junk;
    pmm.junk = on;
    return before;
}

void pmm_fail_after(long n)
{
    pmm.fail_after = n;
}

/* A frame's entry, also against the entry of the frame behind it. */
static const char *check_frame(const struct bank *b, size_t unit)
{
    const struct frame *f = &b->frame[unit];
    if (f->kind >= FRAME_KINDS)
        return "pmm: a frame has no such owner";
    if (!is_owned(f) && (f->more || (f->value && f->kind != FRAME_FREE)))
        return "pmm: a frame that nobody was given has a run or owners";
    if (is_owned(f) && !has_place(f) && f->value == 0)
        return "pmm: an allocated frame has no owners";
    if (f->more && (unit + 1 == b->units || f[1].kind != f->kind))
        return "pmm: a run goes on in a frame that is not its own";
    return NULL;
}

static const char *check_bank(struct bank *b, size_t kinds[static FRAME_KINDS])
{
    assert(lock_held(&pmm.lock) && b->units > 0);
    const char *wrong = b->manager->check(b);
    size_t free = kinds[FRAME_FREE];
    for (size_t unit = 0; unit < b->units && !wrong; unit++) {
        wrong = check_frame(b, unit);
        kinds[b->frame[unit].kind]++;
    }
    if (!wrong && kinds[FRAME_FREE] - free != b->free)
        wrong = "pmm: a bank's count of free frames is wrong";
    return wrong;
}

const char *pmm_check(void)
{
    const char *wrong = NULL;
    size_t kinds[FRAME_KINDS] = {0};
    lock_acquire(&pmm.lock);
    for (struct bank *b = pmm.banks; b < pmm.banks + pmm.bank_count; b++)
        if (!wrong)
            wrong = check_bank(b, kinds);
    for (size_t kind = 0; kind < FRAME_KINDS && !wrong; kind++)
        if (kinds[kind] != pmm.stats.kind[kind])
            wrong = "pmm: a count of frames by owner is wrong";
    if (!wrong && frame_of(0) && frame_of(0)->kind == FRAME_FREE)
        wrong = "pmm: frame 0 is free";
    lock_release(&pmm.lock);
    return wrong;
}
