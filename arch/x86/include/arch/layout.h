/* Where things lie on a PC, i386 and PAE alike. One table holds kernel and
 * user; every user table shares the kernel's half.
 *
 *   0x00000000  first page, never mapped: NULL traps
 *   0x00001000  low memory, VGA                       virtual = physical
 *   0x00100000  kernel image                          virtual = physical
 *               RAM up to 0x40000000                  virtual = physical
 *   0x40000000  kernel windows: vmalloc, ioremap, temporary frames
 *   0x80000000  user space
 *   0xffc00000  end of user space
 */
#pragma once

#include <oct/types.h>

/* RAM below DIRECT_END is mapped at its physical address + DIRECT_OFFSET. */
#define DIRECT_START 0x00000000ull
#define DIRECT_END 0x40000000ull
#define DIRECT_OFFSET 0

/* What devices with short addresses reach: the ISA bus. */
#define DMA_LIMIT 0x1000000ull

#define WINDOW_START 0x40000000ul
#define WINDOW_END 0x80000000ul

#define USER_START 0x80000000ul
#define USER_END 0xffc00000ul

/* The part of the kernel's table that every user table shares. */
#define SHARED_START 0x00000000ul
#define SHARED_SIZE 0x80000000ul

/* Devices that the kernel map holds from the start: name, address, bytes. */
#define LAYOUT_DEVICES                                                         \
    {                                                                          \
        "VGA text", 0xb8000, 0x8000                                            \
    }
