#include "lab/race/frames.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

void range_make(struct range *r, enum oct_manager manager, uint64_t bytes)
{
    *r = (struct range){.bytes = bytes, .seed = 88172645463325252};
    r->frames = (size_t)(bytes / OCT_FRAME);
    r->held = own_memory(r->frames * sizeof(*r->held));
    r->manager = manager == OCT_BITMAP ? oct_frames_simulate(bytes)
                                       : oct_frames_create(bytes, manager);
    if (!r->manager)
        die("no manager of %zu frames: %s", r->frames, strerror(errno));
}

void range_check(const struct range *r)
{
    uint64_t *seen = own_memory(r->frames / 8 + 8);
    for (size_t i = 0; i < r->n; i++) {
        uint32_t frame = r->held[i];
        if (frame == 0 || frame > r->frames)
            die("there is no frame %u", frame);
        if (seen[frame / 64] >> frame % 64 & 1)
            die("frame %u was given twice", frame);
        seen[frame / 64] |= (uint64_t)1 << frame % 64;
    }
    munmap(seen, r->frames / 8 + 8);
    const char *fault = oct_frames_check(r->manager);
    if (fault)
        die("the manager is broken: %s", fault);
}

void range_destroy(struct range *r)
{
    oct_frames_destroy(r->manager);
    munmap(r->held, r->frames * sizeof(*r->held));
}

void take_all(struct range *r)
{
    uint64_t frame;
    while ((frame = oct_frame_alloc(r->manager)) != 0) {
        if (r->n == r->frames)
            die("more frames than there are");
        r->held[r->n++] = (uint32_t)(frame / OCT_FRAME);
    }
    if (r->n < r->frames - r->frames / 50)
        die("only %zu of %zu frames can be taken", r->n, r->frames);
}

void free_all(struct range *r)
{
    for (size_t i = 0; i < r->n; i++)
        free_frame(r, r->held[i]);
    r->n = 0;
}

void fill_randomly(struct range *r, unsigned percent)
{
    take_all(r);
    size_t wanted = r->n / 100 * percent;
    while (r->n > wanted)
        free_random(r);
    oct_frames_trim(r->manager);
}

/* Frees those that stay() does not name, in the order they were taken. */
static void free_but(struct range *r, size_t argument,
                     bool (*stay)(struct range *r, size_t argument,
                                  uint32_t number))
{
    size_t kept = 0;
    for (size_t i = 0; i < r->n; i++) {
        uint32_t number = r->held[i];
        if (stay(r, argument, number))
            r->held[kept++] = number;
        else
            free_frame(r, number);
    }
    r->n = kept;
    oct_frames_trim(r->manager);
}

/* The same number for a group each time. */
static size_t group_hash(uint32_t number)
{
    return (number / GROUP + 1) * (uint64_t)0x9e3779b97f4a7c15 >> 32;
}

static bool is_its_groups_one(struct range *r, size_t place, uint32_t number)
{
    (void)r;
    size_t one = place < GROUP ? place : group_hash(number) % GROUP;
    return number % GROUP == one;
}

void leave_one_a_group(struct range *r, size_t place)
{
    free_but(r, place, is_its_groups_one);
}

static bool stays_in_fragments(struct range *r, size_t argument,
                               uint32_t number)
{
    (void)argument;
    return group_hash(number) % 16 != 0 && random_next(&r->seed) >> 63;
}

void fragment(struct range *r)
{
    free_but(r, 0, stays_in_fragments);
}
