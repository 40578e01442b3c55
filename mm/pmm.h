/* The kernel's frame manager: every 4 KiB frame of RAM. What the functions do
 * is said in mm/frames.h, where each has the same name but for its first word.
 */
#pragma once

#include "mm/frames.h"

#include <arch/layout.h>
#include <oct/boot_info.h>

extern struct frames pmm;

/* The one for the direct map (mm/choice.c). */
extern const struct free_manager *const pmm_choice;

/* Takes over all RAM of *boot, and ends the early allocator. Panics if there is
 * no room for its tables. After percpu_init. */
void pmm_init(const struct boot_info *boot);

/* --- handing out and taking back --- */

static inline paddr_t pmm_alloc(void)
{
    return frames_alloc(&pmm);
}

static inline paddr_t pmm_alloc_run(size_t n, uint64_t align, uint64_t limit)
{
    return frames_alloc_run(&pmm, n, align, limit);
}

/* The same anywhere in the direct map, page aligned. */
static inline paddr_t pmm_allocs(size_t n)
{
    return frames_alloc_run(&pmm, n, PAGE_SIZE, DIRECT_END);
}

static inline paddr_t pmm_alloc_gfp(size_t n, uint64_t align, uint64_t limit,
                                    gfp_t flags)
{
    return frames_alloc_gfp(&pmm, n, align, limit, flags);
}

static inline int pmm_alloc_at(paddr_t pa, size_t n)
{
    return frames_alloc_at(&pmm, pa, n);
}

static inline int pmm_frees(paddr_t pa, size_t n)
{
    return frames_free(&pmm, pa, n);
}

static inline int pmm_free(paddr_t pa)
{
    return frames_free(&pmm, pa, 1);
}

static inline int pmm_ref(paddr_t pa)
{
    return frames_ref(&pmm, pa);
}

static inline int pmm_unref(paddr_t pa)
{
    return frames_unref(&pmm, pa);
}

static inline int pmm_refs(paddr_t pa)
{
    return frames_refs(&pmm, pa);
}

/* --- whose they are --- */

static inline void pmm_label(paddr_t pa, size_t n, enum frame_kind kind)
{
    frames_label(&pmm, pa, n, kind);
}

static inline enum frame_kind pmm_kind(paddr_t pa)
{
    return frames_kind(&pmm, pa);
}

static inline const char *pmm_kind_name(enum frame_kind kind)
{
    return frame_kind_name(kind);
}

static inline paddr_t pmm_run_start(paddr_t pa, enum frame_kind kind)
{
    return frames_run_start(&pmm, pa, kind);
}

/* --- when there are few --- */

static inline void pmm_add_shrinker(struct shrinker *s)
{
    frames_add_shrinker(&pmm, s);
}

static inline void pmm_visit_shrinkers(void (*visit)(void *context,
                                                     const struct shrinker *),
                                       void *context)
{
    frames_visit_shrinkers(&pmm, visit, context);
}

static inline size_t pmm_reclaim(void)
{
    return frames_reclaim(&pmm);
}

/* --- how it stands --- */

static inline void pmm_stats(struct frames_stats *out)
{
    frames_stats(&pmm, out);
}

static inline void pmm_by_kind(size_t kind[static FRAME_KINDS])
{
    frames_by_kind(&pmm, kind);
}

static inline struct frames_runs pmm_runs(void)
{
    return frames_runs(&pmm);
}

static inline paddr_t pmm_start(void)
{
    return frames_start(&pmm);
}

static inline paddr_t pmm_end(void)
{
    return frames_end(&pmm);
}

static inline bool pmm_set_junk(bool on)
{
    return frames_set_junk(&pmm, on);
}

static inline void pmm_fail_after(long n)
{
    frames_fail_after(&pmm, n);
}

static inline const char *pmm_check(void)
{
    return frames_check(&pmm);
}
