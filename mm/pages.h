/* Pages by the power of two, as Linux and vimix have them: 2^order frames in a
 * row, aligned to their size, by the address at which the kernel sees them. */
#pragma once

#include "mm/pmm.h"

/* NULL if order > PAGE_ALLOC_MAX_ORDER, or if there are no such frames; that is
 * reported unless __GFP_NOWARN. Zeroed with __GFP_ZERO. __GFP_HIGH is ignored:
 * the kernel has no address for such frames. */
MUST_CHECK void *alloc_pages(gfp_t flags, unsigned order);
MUST_CHECK void *alloc_page(gfp_t flags);

/* Gives them back: order must be the one asked for, or it is reported and
 * nothing changes. NULL is nothing. */
void free_pages(void *p, unsigned order);
void free_page(void *p);
