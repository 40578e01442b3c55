/* Memory in whole pages whose addresses follow each other while its frames lie
 * anywhere: large buffers without large runs of frames. Each area has frames of
 * its own and an unmapped page behind it. It costs a page at least, table
 * entries and TLB entries; and devices do not see it in one piece: not for DMA.
 *
 * None of these may be called in an interrupt, but kvmalloc without __GFP_WAIT.
 * NULL: no memory or no room in the windows, which is reported unless
 * __GFP_NOWARN; nothing was changed then. */
#pragma once

#include "mm/gfp.h"

#include <oct/types.h>

/* size bytes, page aligned. Size 0 is refused: NULL. */
MUST_CHECK void *vmalloc(size_t size);
MUST_CHECK void *vzalloc(size_t size); /* zeroed */

/* The same for callers that say what they allow. Frames above the direct map go
 * first unless __GFP_DMA. __GFP_NOFAIL waits for frames, but there may still be
 * no room or no page tables. */
MUST_CHECK void *__vmalloc(size_t size, gfp_t flags);

/* Gives an area back: afterwards no CPU reaches its frames through it. NULL is
 * nothing. Whatever is not the start of a vmalloc area (freed already, inside
 * of one, ioremap's, foreign) is reported and changes nothing. */
void vfree(const void *p);

/* True if p lies in the kernel windows, and so not in the direct map: vmalloc,
 * vmap or ioremap. */
bool is_vmalloc_addr(const void *p);

/* The physical address of the byte p of a vmalloc area; 0 if it is none. */
paddr_t vmalloc_to_phys(const void *p);

/* kmalloc if that is easy, else vmalloc: up to a page as kmalloc does it, more
 * in a row if there is such a run without effort, else scattered if the caller
 * may wait. Size 0 as kmalloc. */
MUST_CHECK void *kvmalloc(size_t size, gfp_t flags);
MUST_CHECK void *kvzalloc(size_t size, gfp_t flags);

/* n objects of `size` bytes in a row: NULL if the product overflows. */
MUST_CHECK void *kvmalloc_array(size_t n, size_t size, gfp_t flags);

/* Frees what any of the functions above returned; NULL is nothing. */
void kvfree(const void *p);
