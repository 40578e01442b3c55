/* What <oct/io.h> needs to order accesses to device memory. A fence orders the
 * accesses before it that are in its first set with those behind it in its
 * second: i and o are device input and output, r and w memory reads and writes
 * (Unprivileged Architecture, "Memory Ordering Instructions"). Regions of
 * devices need not be ordered among each other, or with memory (Privileged
 * Architecture, "Memory-Ordering PMAs"). */
#pragma once

#include <oct/types.h>

/* What was written to devices before is there before this one is read. */
static inline void io_before_read(void)
{
    __asm__ volatile("fence o, i" : : : "memory");
}

/* What follows, memory that a device wrote included, is not read too early. */
static inline void io_after_read(void)
{
    __asm__ volatile("fence i, iorw" : : : "memory");
}

/* What this write tells the device of is in memory, and read from it, before.
 */
static inline void io_before_write(void)
{
    __asm__ volatile("fence iorw, o" : : : "memory");
}
