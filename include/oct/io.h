/* Device registers in memory, as ioremap maps them: b, w, l and q are 8, 16, 32
 * and 64 bits. An access is one access of that width, aligned to it, and little
 * endian as all machines here are. Only q on 32-bit machines is two accesses of
 * 32 bits, the low half first.
 *
 * Each is ordered against other accesses to devices and against memory that a
 * device reads or writes by itself: what was stored before a write is there
 * when the device learns of it, and what is loaded after a read is not older
 * than it. The _relaxed ones are ordered only with others to the same device.
 */
#pragma once

#include <arch/io.h>
#include <oct/string.h>
#include <oct/types.h>

static inline uint8_t readb_relaxed(const volatile void *at)
{
    return *(const volatile uint8_t *)at;
}

static inline uint16_t readw_relaxed(const volatile void *at)
{
    return *(const volatile uint16_t *)at;
}

static inline uint32_t readl_relaxed(const volatile void *at)
{
    return *(const volatile uint32_t *)at;
}

static inline uint64_t readq_relaxed(const volatile void *at)
{
    if (sizeof(long) == sizeof(uint64_t))
        return *(const volatile uint64_t *)at;
    const volatile uint32_t *half = (const volatile uint32_t *)at;
    uint32_t low = half[0];
    return (uint64_t)half[1] << 32 | low;
}

static inline void writeb_relaxed(uint8_t value, volatile void *at)
{
    *(volatile uint8_t *)at = value;
}

static inline void writew_relaxed(uint16_t value, volatile void *at)
{
    *(volatile uint16_t *)at = value;
}

static inline void writel_relaxed(uint32_t value, volatile void *at)
{
    *(volatile uint32_t *)at = value;
}

static inline void writeq_relaxed(uint64_t value, volatile void *at)
{
    volatile uint32_t *half = (volatile uint32_t *)at;
    if (sizeof(long) == sizeof(uint64_t)) {
        *(volatile uint64_t *)at = value;
        return;
    }
    half[0] = (uint32_t)value;
    half[1] = (uint32_t)(value >> 32);
}

static inline uint8_t readb(const volatile void *at)
{
    io_before_read();
    uint8_t value = readb_relaxed(at);
    io_after_read();
    return value;
}

static inline uint16_t readw(const volatile void *at)
{
    io_before_read();
    uint16_t value = readw_relaxed(at);
    io_after_read();
    return value;
}

static inline uint32_t readl(const volatile void *at)
{
    io_before_read();
    uint32_t value = readl_relaxed(at);
    io_after_read();
    return value;
}

static inline uint64_t readq(const volatile void *at)
{
    io_before_read();
    uint64_t value = readq_relaxed(at);
    io_after_read();
    return value;
}

static inline void writeb(uint8_t value, volatile void *at)
{
    io_before_write();
    writeb_relaxed(value, at);
}

static inline void writew(uint16_t value, volatile void *at)
{
    io_before_write();
    writew_relaxed(value, at);
}

static inline void writel(uint32_t value, volatile void *at)
{
    io_before_write();
    writel_relaxed(value, at);
}

static inline void writeq(uint64_t value, volatile void *at)
{
    io_before_write();
    writeq_relaxed(value, at);
}

/* How wide the next access of a copy is: 4 bytes where the device's address and
 * what is left allow, else 1. */
static inline size_t io_step(const volatile void *at, size_t left)
{
    return is_aligned((uintptr_t)at, 4) && left >= 4 ? 4 : 1;
}

/* Copies n bytes to or from a device's memory, at any alignment, ordered as a
 * whole like one write or read. */
static inline void memcpy_toio(volatile void *to, const void *from, size_t n)
{
    volatile uint8_t *out = (volatile uint8_t *)to;
    const uint8_t *in = from;
    uint32_t word;
    io_before_write();
    for (size_t step; n > 0; n -= step, out += step, in += step) {
        step = io_step(out, n);
        if (step == 1)
            writeb_relaxed(*in, out);
        else
            writel_relaxed(*(uint32_t *)memcpy(&word, in, 4), out);
    }
}

static inline void memcpy_fromio(void *to, const volatile void *from, size_t n)
{
    const volatile uint8_t *in = (const volatile uint8_t *)from;
    uint8_t *out = to;
    uint32_t word;
    io_before_read();
    for (size_t step; n > 0; n -= step, out += step, in += step) {
        step = io_step(in, n);
        word = step == 1 ? readb_relaxed(in) : readl_relaxed(in);
        memcpy(out, &word, step);
    }
    io_after_read();
}

/* Sets n bytes of a device's memory to `byte`. */
static inline void memset_io(volatile void *to, int byte, size_t n)
{
    volatile uint8_t *out = (volatile uint8_t *)to;
    uint32_t word = (uint8_t)byte * 0x01010101u;
    io_before_write();
    for (size_t step; n > 0; n -= step, out += step) {
        step = io_step(out, n);
        if (step == 1)
            writeb_relaxed((uint8_t)byte, out);
        else
            writel_relaxed(word, out);
    }
}
