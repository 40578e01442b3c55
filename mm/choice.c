/* Which manager of free frames and which heap this kernel has: what the build's
 * PMM and HEAP say. All are linked; this file alone is compiled for each
 * choice. */
#include "mm/kheap_backend.h"
#include "mm/pmm.h"

const struct free_manager *const pmm_choice = &PMM_CHOICE;
const struct heap_ops *const heap_choice = &HEAP_CHOICE;
