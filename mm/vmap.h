/* The kernel windows: ranges of virtual addresses outside the direct map, given
 * out to map device registers, frames that the direct map does not reach, and
 * scattered ones. Before and behind each area lies a page that is never mapped.
 */
#pragma once

#include <oct/types.h>

/* Divides the windows. Panics if there is no memory for the tables. */
void vmap_init(void);

/* Maps size bytes of device registers at pa, which need not be aligned: the
 * result points to the byte pa. Never executable, uncached where the format can
 * say so. NULL, with a report, if any of it is RAM, size is 0 or wraps, or
 * there is no room. */
void *ioremap(paddr_t pa, size_t size);

/* Undoes ioremap; NULL is nothing. Any other address is reported. */
void iounmap(void *p);

/* Maps [pa, pa + len), page aligned, somewhere in the windows: for frames that
 * the direct map does not reach. The frames stay the caller's. NULL: no room.
 */
void *vmap(paddr_t pa, size_t len, unsigned prot);

/* Undoes vmap; afterwards no CPU reaches the frames through it. NULL is
 * nothing. Any other address is reported. */
void vunmap(void *p);

/* What an area is for: who may take it down. */
enum vmap_kind {
    VMAP_NONE,  /* no area, or one that is being made or taken down */
    VMAP_PAGES, /* vmap: somebody else's frames */
    VMAP_IO,    /* ioremap: device registers */
    VMAP_ALLOC, /* vmalloc: frames of its own */
};

struct vmap_area {
    vaddr_t va;   /* of its first page */
    size_t pages; /* mapped; the guard page is one more */
    enum vmap_kind kind;
};

/* The area that va lies in, its guard page included; kind VMAP_NONE if none. */
struct vmap_area vmap_find(vaddr_t va);

struct vmap_stats {
    size_t pages;        /* in the windows */
    size_t free;         /* of them, in no area */
    size_t table_frames; /* frames that hold what is kept about them */
};

void vmap_stats(struct vmap_stats *out);

/* NULL, or what is wrong with the windows, their areas or what these map. For a
 * moment in which nobody makes or takes down an area. */
const char *vmap_check(void);

/* --- for who fills areas himself: vmalloc --- */

/* Room for an area of `pages` pages and its guard, with nothing mapped, or 0.
 * It is the caller's, and not an area to anybody else, until it is named. */
MUST_CHECK vaddr_t vmap_take(size_t pages);

/* Makes what is mapped there an area, complete from now on. */
void vmap_name(vaddr_t va, enum vmap_kind kind);

/* Makes the area of that kind which begins at va the caller's to take down.
 * False, and nothing happens, if none does; of two who try, one succeeds. */
MUST_CHECK bool vmap_claim(vaddr_t va, enum vmap_kind kind);

/* Gives back room that was taken or claimed; nothing is mapped there now. */
void vmap_give(vaddr_t va, size_t pages);
