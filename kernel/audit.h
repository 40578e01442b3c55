/* The audit of all memory: the frames' labels on one side, those who use frames
 * on the other, and each must account for the other. */
#pragma once

#include "mm/pmm.h"

struct audit {
    size_t labelled[FRAME_KINDS];  /* frames that say so, */
    size_t explained[FRAME_KINDS]; /* and those whose owner was found */
};

/* NULL if every frame is free or has exactly one owner, who can be found, else
 * what is wrong; the first such frame is reported. Needs a bit a frame. Nobody
 * else may allocate meanwhile. */
const char *audit(void);

/* The same, and the counts. */
const char *audit_count(struct audit *out);

/* How the owner of such frames is found. */
const char *audit_witness(enum frame_kind kind);
