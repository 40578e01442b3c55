/* What the frame manager tells about frames, and how it checks itself. */
#include "mm/frames_cache.h"

#include <oct/assert.h>
#include <oct/string.h>

void frames_label(struct frames *m, paddr_t pa, size_t n, enum frame_kind kind)
{
    struct frame f = {.kind = kind};
    struct bank *b = bank_of(m, pa);
    assert(kind >= FRAME_KERNEL && b && n <= b->units - unit_of(b, pa));
    for (size_t i = 0; i < n; i++) {
        struct frame *entry = &b->frame[unit_of(b, pa) + i];
        struct frame old = frame_get(entry);
        assert(is_owned(&old));
        f.more = old.more;
        f.value =
            has_place(&f) ? (uint32_t)min_size(i, FRAME_VALUE_MAX) : FRAME_ONE;
        frame_set(entry, f);
    }
}

enum frame_kind frames_kind(const struct frames *m, paddr_t pa)
{
    const struct frame *f = frame_of(m, pa);
    return f ? frame_get(f).kind : FRAME_NONE;
}

const char *frame_kind_name(enum frame_kind kind)
{
    static const char *const names[FRAME_KINDS] = {
        [FRAME_FREE] = "free",
        [FRAME_NONE] = "no memory",
        [FRAME_FIRMWARE] = "firmware",
        [FRAME_IMAGE] = "kernel image",
        [FRAME_BOOT] = "boot loader",
        [FRAME_INITRD] = "initial RAM disk",
        [FRAME_EARLY] = "frame tables",
        [FRAME_KERNEL] = "kernel",
        [FRAME_TABLE] = "page tables",
        [FRAME_HEAP] = "heap",
        [FRAME_SLAB] = "object caches",
        [FRAME_PAGES] = "alloc_pages",
        [FRAME_VMALLOC] = "vmalloc",
        [FRAME_PERCPU] = "per-CPU data",
        [FRAME_WINDOWS] = "window tables",
        [FRAME_USER] = "user programs",
    };
    return kind < FRAME_KINDS ? names[kind] : "?";
}

/* A place of FRAME_VALUE_MAX may stand for more: that many frames further down
 * the next entry tells. */
paddr_t frames_run_start_far(const struct frames *m, paddr_t pa,
                             enum frame_kind kind)
{
    assert(kind == FRAME_HEAP || kind == FRAME_SLAB);
    struct bank *b = bank_of(m, pa);
    if (!b)
        return 0;
    size_t unit = unit_of(b, pa), place;
    do {
        struct frame f = frame_get(&b->frame[unit]);
        if (f.kind != kind)
            return 0;
        place = f.value;
        assert(place <= unit);
        unit -= place;
    } while (place == FRAME_VALUE_MAX);
    return address_of(b, unit);
}

void frames_by_kind(struct frames *m, size_t kind[static FRAME_KINDS])
{
    memset(kind, 0, FRAME_KINDS * sizeof(*kind));
    lock_acquire(&m->lock);
    for (struct bank *b = m->banks; b < banks_end(m); b++)
        for (size_t unit = 0; unit < b->units; unit++)
            kind[frame_get(&b->frame[unit]).kind]++;
    lock_release(&m->lock);
}

void frames_stats(struct frames *m, struct frames_stats *out)
{
    lock_acquire(&m->lock);
    *out = m->stats;
    out->cached = caches_count(m);
    out->free_direct += out->cached;
    out->free = out->cached;
    for (struct bank *b = m->banks; b < banks_end(m); b++)
        out->free += b->free;
    lock_release(&m->lock);
}

struct frames_runs frames_runs(struct frames *m)
{
    struct frames_runs runs = {0};
    size_t run = 0, group = (size_t)1 << PT_INDEX_BITS;
    lock_acquire(&m->lock);
    for (struct bank *b = m->banks; b < banks_end(m); b++) {
        size_t in_group = run = 0;
        for (size_t unit = 0; unit < b->units; unit++) {
            struct frame f = frame_get(&b->frame[unit]);
            bool free = is_free(&f);
            run = free ? run + 1 : 0;
            in_group = (unit % group ? in_group : 0) + free;
            runs.longest = max_size(runs.longest, run);
            runs.whole_groups += in_group == group;
        }
    }
    lock_release(&m->lock);
    return runs;
}

paddr_t frames_start(const struct frames *m)
{
    assert(m->bank_count > 0);
    return m->banks[0].base;
}

paddr_t frames_end(const struct frames *m)
{
    assert(m->bank_count > 0);
    return bank_end(&m->banks[m->bank_count - 1]);
}

bool frames_set_junk(struct frames *m, bool on)
{
    lock_acquire(&m->lock);
    bool before = m->junk;
    m->junk = on;
    caches_rule(m);
    lock_release(&m->lock);
    return before;
}

void frames_fail_after(struct frames *m, long n)
{
    lock_acquire(&m->lock);
    m->fail_after = n;
    caches_rule(m);
    lock_release(&m->lock);
}

/* A frame's entry, also against the entry of the frame behind it. */
static const char *check_frame(const struct bank *b, size_t unit)
{
    const struct frame *f = &b->frame[unit];
    if (f->kind >= FRAME_KINDS)
        return "frames: a frame has no such owner";
    if (!is_owned(f) && (f->more || (f->value && f->kind != FRAME_FREE)))
        return "frames: a frame that nobody was given has a run or owners";
    if (is_owned(f) && !has_place(f) && f->value == 0)
        return "frames: an allocated frame has no owners";
    if (f->more && (unit + 1 == b->units || f[1].kind != f->kind))
        return "frames: a run goes on in a frame that is not its own";
    return NULL;
}

static const char *check_bank(struct bank *b)
{
    assert(lock_held(&b->owner->lock) && b->units > 0);
    const char *wrong = b->manager->check(b);
    size_t free = 0;
    for (size_t unit = 0; unit < b->units && !wrong; unit++) {
        wrong = check_frame(b, unit);
        free += is_free(&b->frame[unit]);
    }
    if (!wrong && free != b->free)
        wrong = "frames: a bank's count of free frames is wrong";
    return wrong;
}

const char *frames_check(struct frames *m)
{
    const char *wrong = NULL;
    lock_acquire(&m->lock);
    for (struct bank *b = m->banks; b < banks_end(m); b++)
        if (!wrong)
            wrong = check_bank(b);
    if (!wrong)
        wrong = caches_check(m);
    if (!wrong && frame_of(m, 0) && frame_of(m, 0)->kind == FRAME_FREE)
        wrong = "frames: frame 0 is free";
    lock_release(&m->lock);
    return wrong;
}
