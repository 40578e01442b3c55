/* The port's layout with two exceptions. The direct map begins where the
 * simulated RAM happens to lie: physical address pa is seen at
 * pa + host_direct_offset. And the windows lie where a process on the host has
 * nothing else: above its heap, which Linux begins at up to 1 GiB behind the
 * program, and below the sanitizer's shadow memory at 0x7fff8000. */
#pragma once

#include_next <arch/layout.h>

/* Set by tests/host/machine.c when it makes RAM. */
extern uintptr_t host_direct_offset;

#undef DIRECT_OFFSET
#define DIRECT_OFFSET host_direct_offset

#undef WINDOW_START
#undef WINDOW_END
#define WINDOW_START 0x50000000ul
#define WINDOW_END 0x7f000000ul
