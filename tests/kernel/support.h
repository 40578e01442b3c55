/* What the memory tests share: random numbers and stamps of ownership. */
#pragma once

#include "kernel/ktest.h"

/* Every random test starts from it; the host's runner sets it from SEED. */
extern unsigned long test_seed;

struct random {
    uint32_t state;
};

/* A sequence of its own for each `stream`. */
struct random random_start(uint32_t stream);

/* Uniform enough in [0, n), n > 0. */
uint32_t random_below(struct random *r, uint32_t n);

/* Fills `bytes` bytes at p with a pattern made from p and `owner`; checks that
 * the pattern is there still. */
void stamp(void *p, size_t bytes, uint32_t owner);
bool stamped(const void *p, size_t bytes, uint32_t owner);

/* Free frames at this moment. */
size_t frames_left(void);
