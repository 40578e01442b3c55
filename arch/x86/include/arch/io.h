/* Port input and output, and what <oct/io.h> needs to order device memory. */
#pragma once

#include <oct/types.h>

static inline uint8_t inb(uint16_t port)
{
    uint8_t value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline void outb(uint16_t port, uint8_t value)
{
    asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void outw(uint16_t port, uint16_t value)
{
    asm volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

/* Device memory is mapped uncached, and this CPU takes such accesses in program
 * order, after its earlier stores and before its later loads (SDM 3A, 9.2 and
 * 12.3.1): only the compiler must be kept from moving them. */
static inline void io_before_read(void)
{
    asm volatile("" : : : "memory");
}

static inline void io_after_read(void)
{
    asm volatile("" : : : "memory");
}

static inline void io_before_write(void)
{
    asm volatile("" : : : "memory");
}
