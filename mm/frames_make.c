/* How a manager comes to be: over a machine as it is found, or all free. */
#include "mm/frames_cache.h"

#include <oct/assert.h>

static size_t entry_bytes(size_t units)
{
    return round_up(units * sizeof(struct frame), PAGE_SIZE);
}

uint64_t frames_bank_align(void)
{
    return BANK_ALIGN;
}

static size_t cache_offset(size_t banks)
{
    return round_up(banks * sizeof(struct bank), PAGE_SIZE);
}

size_t frames_begin_bytes(size_t banks, unsigned cpus)
{
    return cache_offset(banks) + round_up(caches_bytes(cpus), PAGE_SIZE);
}

void frames_begin(struct frames *m, void *zeroed, size_t banks, unsigned cpus)
{
    assert(m->bank_count == 0 && is_aligned((uintptr_t)zeroed, PAGE_SIZE));
    m->banks = zeroed;
    m->cache = (void *)((char *)zeroed + cache_offset(banks));
    m->cpus = cpus;
    m->fail_after = -1;
    m->few = (size_t)-1;
    list_init(&m->shrinkers);
}

size_t frames_bank_bytes(size_t frames, const struct free_manager *manager)
{
    return entry_bytes(frames) + round_up(manager->bytes(frames), PAGE_SIZE);
}

static struct bank *add_bank(struct frames *m, char *zeroed, paddr_t start,
                             paddr_t end, const struct free_manager *manager)
{
    assert(is_aligned(start | end, BANK_ALIGN) && start < end);
    assert(m->bank_count == 0 || frames_end(m) <= start);
    struct bank *b = &m->banks[m->bank_count++];
    b->owner = m;
    b->base = start;
    b->units = (size_t)((end - start) >> PAGE_SHIFT);
    b->frame = (struct frame *)(void *)zeroed;
    b->manager = manager;
    m->stats.owner_bytes += entry_bytes(b->units);
    m->stats.map_bytes += manager->bytes(b->units);
    m->stats.table_bytes += frames_bank_bytes(b->units, manager);
    return b;
}

void frames_add_bank(struct frames *m, void *zeroed, paddr_t start, paddr_t end,
                     const struct free_manager *manager)
{
    struct bank *b = add_bank(m, zeroed, start, end, manager);
    for (size_t unit = 0; unit < b->units; unit++)
        b->frame[unit].kind = FRAME_NONE;
    manager->init(b, (char *)zeroed + entry_bytes(b->units), false);
}

/* Ranges may be far larger than RAM, so it is the banks that are walked. */
void frames_tell(struct frames *m, paddr_t start, paddr_t end,
                 enum frame_kind kind)
{
    for (struct bank *b = m->banks; b < banks_end(m); b++) {
        paddr_t pa = start > b->base ? start : b->base;
        for (; pa < end && pa < bank_end(b); pa += PAGE_SIZE)
            b->frame[unit_of(b, pa)].kind = kind;
    }
}

static void give_free_frames(struct bank *b)
{
    lock_acquire(&b->owner->lock);
    for (size_t i = 0, n; i < b->units; i += n) {
        n = 1;
        if (b->frame[i].kind != FRAME_FREE)
            continue;
        while (i + n < b->units && b->frame[i + n].kind == FRAME_FREE)
            n++;
        b->manager->give(b, i, n);
        bank_won(b, n);
    }
    lock_release(&b->owner->lock);
}

void frames_open(struct frames *m, size_t reserve)
{
    for (struct bank *b = m->banks; b < banks_end(m); b++) {
        give_free_frames(b);
        for (size_t unit = 0; unit < b->units; unit++)
            m->stats.total += b->frame[unit].kind != FRAME_NONE;
    }
    m->stats.reserve = reserve;
    caches_open(m);
}

/* --- all free --- */

static size_t bank_units(uint64_t bytes)
{
    return (size_t)(round_up(bytes, (uint64_t)BANK_ALIGN) >> PAGE_SHIFT);
}

size_t frames_storage_bytes(uint64_t bytes, const struct free_manager *manager,
                            unsigned cpus)
{
    return frames_begin_bytes(1, cpus) +
           frames_bank_bytes(bank_units(bytes), manager);
}

/* These n free frames will never be anybody's. */
static void set_aside(struct bank *b, size_t first, size_t n,
                      enum frame_kind kind)
{
    bool free = n == 0 || b->manager->take_at(b, first, n);
    assert(free);
    for (size_t unit = first; unit < first + n; unit++)
        b->frame[unit].kind = kind;
}

void frames_init_free(struct frames *m, void *zeroed, uint64_t bytes,
                      uintptr_t offset, const struct free_manager *manager,
                      unsigned cpus)
{
    size_t total = (size_t)(bytes >> PAGE_SHIFT), units = bank_units(bytes);
    char *storage = (char *)zeroed + frames_begin_bytes(1, cpus);
    assert(total > 0);
    *m = (struct frames){
        .offset = offset, .direct_end = ~0ull, .dma_limit = ~0ull};
    frames_begin(m, zeroed, 1, cpus);
    struct bank *b =
        add_bank(m, storage, 0, (paddr_t)units << PAGE_SHIFT, manager);
    lock_acquire(&m->lock);
    manager->init(b, storage + entry_bytes(units), true);
    /* The end first: of what is left no block may begin where no memory is. */
    set_aside(b, total, units - total, FRAME_NONE);
    set_aside(b, 0, 1, FRAME_FIRMWARE);
    bank_won(b, total - 1);
    lock_release(&m->lock);
    m->stats.total = total;
    caches_open(m);
}
