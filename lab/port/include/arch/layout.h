/* A program on the host: physical addresses are the program's own addresses.
 * All memory is mapped, and no device has short addresses. */
#pragma once

#include <oct/types.h>

#define DIRECT_START 0ull
#define DIRECT_OFFSET 0
#define DIRECT_END (~0ull)
#define DMA_LIMIT 0x100000000ull
