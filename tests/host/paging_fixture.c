#include "paging_fixture.h"

#include <string.h>

#include <oct/assert.h>

struct host_flush flush_log[LOG_MAX];
size_t flush_logged;

void fixture_start(struct pagemap *m)
{
    host_machine(DIRECT_START, 16 * MiB);
    pmm_set_junk(true);
    int error = paging_create(m);
    assert(!error);
}

vaddr_t fixture_va(uint64_t align)
{
    uint64_t first = SHARED_SIZE ? SHARED_START + SHARED_SIZE : 0x1000;
    return (first + align - 1) / align * align;
}

vaddr_t fixture_last(void)
{
    return (1ull << (host_mmu->va_bits - host_mmu->sign_extended)) - 1;
}

struct soft_walk cpu_finds(const struct pagemap *m, vaddr_t va)
{
    return soft_translate(host_mmu, host_view, m->root, va);
}

/* The same entry, seen by walker and CPU. */
static bool agree(const struct mapping *walker, const struct soft_walk *cpu)
{
    return walker->present == (cpu->fault == SOFT_OK) &&
           walker->va == cpu->va && walker->len == cpu->span &&
           walker->level == cpu->level && walker->pa == cpu->pa;
}

static bool has_rights(const struct mapping *walker,
                       const struct soft_walk *cpu, unsigned prot)
{
    struct soft_walk want = {0};
    host_mmu->expect(prot, &want);
    return walker->prot == paging_effective(prot) &&
           !memcmp(want.may, cpu->may, sizeof(want.may)) &&
           want.global == cpu->global && want.type == cpu->type &&
           !cpu->wants_update;
}

bool is_mapped_to(struct pagemap *m, vaddr_t va, paddr_t pa, uint64_t len,
                  unsigned prot)
{
    for (uint64_t done = 0, n; done < len; done += n) {
        struct soft_walk cpu = cpu_finds(m, va + done);
        struct mapping walker = paging_query(m, va + done);
        if (!agree(&walker, &cpu) || cpu.fault != SOFT_OK ||
            cpu.pa + (va + done - cpu.va) != pa + done ||
            !has_rights(&walker, &cpu, prot))
            return false;
        n = cpu.va + cpu.span - (va + done);
    }
    return true;
}

bool is_hole(struct pagemap *m, vaddr_t va, uint64_t len)
{
    for (uint64_t done = 0, n; done < len; done += n) {
        struct soft_walk cpu = cpu_finds(m, va + done);
        struct mapping walker = paging_query(m, va + done);
        if (!agree(&walker, &cpu) || cpu.fault != SOFT_ABSENT)
            return false;
        n = cpu.va + cpu.span - (va + done);
    }
    return true;
}

struct state state_of(const struct pagemap *m)
{
    struct frames_stats stats;
    uint64_t own = SHARED_SIZE ? SHARED_START + SHARED_SIZE : 0;
    pmm_stats(&stats);
    return (struct state){soft_survey(host_mmu, host_view, m->root, own, ~0ull),
                          m->tables, stats.free};
}

bool is_state(const struct pagemap *m, const struct state *before)
{
    struct state now = state_of(m);
    return now.tree.digest == before->tree.digest &&
           now.tree.tables == before->tree.tables &&
           now.tree.leaves == before->tree.leaves && !now.tree.broken &&
           now.tables == before->tables && now.free == before->free;
}

static void log_flush(const struct host_flush *f, bool after)
{
    if (!after && flush_logged < LOG_MAX)
        flush_log[flush_logged++] = *f;
}

void log_start(void)
{
    flush_logged = 0;
    host_on_flush = log_flush;
}
