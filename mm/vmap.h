/* The kernel windows: ranges of virtual addresses outside the direct map, given
 * out to map device registers and frames that the direct map does not reach.
 * Behind each area lies one page that is never mapped. */
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

/* Undoes vmap; afterwards no CPU reaches the frames through it. */
void vunmap(void *p);

struct vmap_stats {
    size_t pages; /* in the windows */
    size_t free;  /* of them, in no area */
};

void vmap_stats(struct vmap_stats *out);
const char *vmap_check(void);
