/* The frames of a race: a manager, and which frames we have from it. Frames are
 * kept as their numbers, since 64 M of them are. */
#pragma once

#include "lab/oct.h"
#include "lab/race/race.h"

enum { GROUP = 512 }; /* frames of a large page */

struct range {
    struct oct_frames *manager;
    uint64_t bytes;
    size_t frames;
    uint32_t *held; /* numbers of those that we have, */
    size_t n;       /* how many these are */
    uint64_t seed;
};

static inline uint32_t take_frame(struct range *r)
{
    uint64_t frame = oct_frame_alloc(r->manager);
    if (!frame)
        die("no frame, though some are free");
    return (uint32_t)(frame / OCT_FRAME);
}

static inline void free_frame(struct range *r, uint32_t number)
{
    if (oct_frame_free(r->manager, (uint64_t)number * OCT_FRAME) != 0)
        die("frame %u cannot be freed", number);
}

static inline uint32_t free_random(struct range *r)
{
    size_t i = random_below(&r->seed, r->n);
    uint32_t number = r->held[i];
    free_frame(r, number);
    r->held[i] = r->held[--r->n];
    return number;
}

void range_make(struct range *r, enum oct_manager manager, uint64_t bytes);

/* Dies if we were given a frame twice, or one that is not there, or if the
 * manager finds a fault in itself. */
void range_check(const struct range *r);
void range_destroy(struct range *r);

/* Takes frames until there are none: all of them, that is. */
void take_all(struct range *r);
void free_all(struct range *r);

/* Takes all, then frees random ones until `percent` are taken. */
void fill_randomly(struct range *r, unsigned percent);

/* Of all frames taken: leaves one taken in each group, a random one, or the one
 * at `place` in all of them if that is below GROUP. */
void leave_one_a_group(struct range *r, size_t place);

/* Of all frames taken: frees one group in 16 whole and half of the others'
 * frames. */
void fragment(struct range *r);

/* The races. */
void race_fill(struct range *r, size_t operations);
void race_pair(struct range *r, size_t operations);
void race_churn(struct range *r, size_t operations);
void race_burst(struct range *r, size_t operations);
void race_churn_threads(struct range *r, size_t operations);
void race_one_left(struct range *r, size_t operations);
void race_one_left_cold(struct range *r, size_t operations);
void race_reallocation(struct range *r, size_t operations);
void race_metadata_map(struct range *r, size_t operations);
void race_metadata_owners(struct range *r, size_t operations);
void race_run8(struct range *r, size_t operations);
void race_run64(struct range *r, size_t operations);
void race_run512(struct range *r, size_t operations);
void race_impossible(struct range *r, size_t operations);
void race_impossible_anywhere(struct range *r, size_t operations);
