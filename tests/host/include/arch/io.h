/* On the host "devices" are plain memory. */
#pragma once

static inline void io_before_read(void)
{
    __asm__ volatile("" : : : "memory");
}

static inline void io_after_read(void)
{
    __asm__ volatile("" : : : "memory");
}

static inline void io_before_write(void)
{
    __asm__ volatile("" : : : "memory");
}
