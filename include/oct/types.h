/* Types and small helpers that everyone may use. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A physical address, in bytes. 64 bits wide on every machine: PAE and Sv32
 * both address more than 4 GiB. */
typedef unsigned long long paddr_t;

/* A virtual address, in bytes. */
typedef uintptr_t vaddr_t;

#define KiB (1024ull)
#define MiB (1024ull * KiB)
#define GiB (1024ull * MiB)

#define WORD_BITS (8 * sizeof(unsigned long))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member)                                          \
    ((type *)((char *)(p)-offsetof(type, member)))

#define PACKED __attribute__((packed))
#define NORETURN __attribute__((noreturn))
#define MUST_CHECK __attribute__((warn_unused_result))
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define COLD __attribute__((cold, noinline)) /* kept out of the usual path */
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* The address of the instruction after the caller's call: who asked. */
#define CALLER ((vaddr_t)__builtin_return_address(0))

/* Alignments are powers of two. */
static inline bool is_power_of_two(unsigned long long n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

static inline unsigned long long round_down(unsigned long long n,
                                            unsigned long long align)
{
    return n & ~(align - 1);
}

/* Wraps to 0 past the last multiple: callers bound n first. */
static inline unsigned long long round_up(unsigned long long n,
                                          unsigned long long align)
{
    return (n + align - 1) & ~(align - 1);
}

static inline bool is_aligned(unsigned long long n, unsigned long long align)
{
    return (n & (align - 1)) == 0;
}

/* The same for sizes, which a machine word holds. */
static inline size_t round_up_size(size_t n, size_t align)
{
    return (n + align - 1) & ~(align - 1);
}

static inline size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}
