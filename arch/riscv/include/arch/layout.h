/* Where things lie on RISC-V. The kernel has a table of its own, one for all
 * harts; a user table shares nothing with it but the trampoline.
 *
 *   Sv32  0x40000000          kernel windows: vmalloc, ioremap, temporary
 *         0x80000000          RAM, virtual = physical
 *         0xfffff000          trampoline
 *   Sv39  0x80000000          RAM, virtual = physical
 *         0x20_00000000       kernel windows
 *         0x3f_fffff000       trampoline
 *   Sv48  0x80000000          RAM, virtual = physical
 *         0x4000_00000000     kernel windows
 *         0x7fff_fffff000     trampoline
 */
#pragma once

#include <oct/types.h>

/* RAM below DIRECT_END is mapped at its physical address + DIRECT_OFFSET. */
#define DIRECT_START 0x80000000ull
#define DIRECT_OFFSET 0

#if defined(MMU_SV32)
#define DIRECT_END 0xffc00000ull
#define WINDOW_START 0x40000000ul
#define WINDOW_END 0x80000000ul
#define TRAMPOLINE 0xfffff000ul
#elif defined(MMU_SV39)
#define DIRECT_END 0x2000000000ull
#define WINDOW_START 0x2000000000ul
#define WINDOW_END 0x3fc0000000ul
#define TRAMPOLINE 0x3ffffff000ul
#else
#define DIRECT_END 0x400000000000ull
#define WINDOW_START 0x400000000000ul
#define WINDOW_END 0x7fc000000000ul
#define TRAMPOLINE 0x7ffffffff000ul
#endif

/* What devices with short addresses reach: those with 32 bits. */
#define DMA_LIMIT 0x100000000ull

/* User space: everything below the trampoline and the trap frame. */
#define USER_START 0x1000ul
#define USER_END (TRAMPOLINE - 0x1000ul)

/* The part of the kernel's table that every user table shares: none. */
#define SHARED_START 0ul
#define SHARED_SIZE 0ul

/* Devices that the kernel map holds from the start: none. */
#define LAYOUT_DEVICES                                                         \
    {                                                                          \
        NULL, 0, 0                                                             \
    }
