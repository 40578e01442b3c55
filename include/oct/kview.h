/* The kernel's view of physical memory: the direct map. */
#pragma once

#include <arch/layout.h>
#include <oct/types.h>

/* pa must lie below DIRECT_END. */
static inline void *phys_to_virt(paddr_t pa)
{
    return (void *)(uintptr_t)(pa + DIRECT_OFFSET);
}

/* p must point into the direct map. */
static inline paddr_t virt_to_phys(const void *p)
{
    return (paddr_t)((uintptr_t)p - DIRECT_OFFSET);
}
