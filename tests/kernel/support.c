#include "tests/kernel/support.h"
#include "mm/pmm.h"

unsigned long test_seed = 1;

struct random random_start(uint32_t stream)
{
    return (struct random){(uint32_t)test_seed * 2654435761u + stream * 40503u +
                           1};
}

/* Marsaglia's xorshift; its state is never 0. */
uint32_t random_below(struct random *r, uint32_t n)
{
    uint32_t x = r->state ? r->state : 1;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    r->state = x;
    return (uint32_t)((uint64_t)x * n >> 32);
}

static uint8_t pattern(const uint8_t *p, size_t i, uint32_t owner)
{
    uint32_t x = (uint32_t)(uintptr_t)(p + i) ^ owner * 2654435761u;
    return (uint8_t)(x ^ x >> 8 ^ x >> 16 ^ x >> 24);
}

void stamp(void *p, size_t bytes, uint32_t owner)
{
    uint8_t *to = p;
    for (size_t i = 0; i < bytes; i++)
        to[i] = pattern(to, i, owner);
}

bool stamped(const void *p, size_t bytes, uint32_t owner)
{
    const uint8_t *from = p;
    for (size_t i = 0; i < bytes; i++)
        if (from[i] != pattern(from, i, owner))
            return false;
    return true;
}

size_t frames_left(void)
{
    struct frames_stats s;
    pmm_stats(&s);
    return s.free;
}
