/* Which frames of a bank are free, and where a run of them is. Two managers
 * give the same answers: the build picks one for the direct map (PMM=bitmap or
 * PMM=buddy). Callers hold the frame manager's lock, and keep the frames'
 * entries: an entry says FRAME_FREE when its unit is given, and until it is
 * taken. */
#pragma once

#include <oct/types.h>

struct bank;

struct free_manager {
    const char *name;

    /* Bytes of storage for a bank of so many units; may be 0. */
    size_t (*bytes)(size_t units);

    /* Makes all units taken. base, units and frame are set. */
    void (*init)(struct bank *b, void *storage);

    /* Gives n taken units from `first` on. */
    void (*give)(struct bank *b, size_t first, size_t n);

    /* Takes n > 0 units in a row within [0, end), their physical address a
     * multiple of align frames (a power of two). Returns the first, or
     * FREEMAP_NONE. */
    size_t (*take)(struct bank *b, size_t n, size_t align, size_t end);

    /* Takes these n units if all are free; false, and nothing, otherwise. */
    bool (*take_at)(struct bank *b, size_t first, size_t n);

    /* NULL, or what does not agree with the frames' entries. */
    const char *(*check)(struct bank *b);
};

extern const struct free_manager bitmap_manager, buddy_manager;

/* The one for the direct map (mm/choice.c). */
extern const struct free_manager *const pmm_choice;
