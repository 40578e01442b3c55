/* Which frames of a bank are free, and where a run of them is. Two managers
 * give the same answers; of the kernel's, the build picks the one for the
 * direct map (PMM=bitmap or PMM=buddy). Callers hold the lock of the frames,
 * and keep their entries: an entry says FRAME_FREE when its unit is given, and
 * until it is taken. */
#pragma once

#include <oct/types.h>

struct bank;

struct free_manager {
    const char *name;

    /* Bytes of storage for a bank of so many units; may be 0. */
    size_t (*bytes)(size_t units);

    /* Makes all units taken, or all free. base, units and frame are set; the
     * storage is zeroed. */
    void (*init)(struct bank *b, void *storage, bool free);

    /* Gives n taken units from `first` on. */
    void (*give)(struct bank *b, size_t first, size_t n);

    /* Takes n > 0 units in a row within [0, end), their physical address a
     * multiple of align frames (a power of two). Returns the first, or
     * FREEMAP_NONE. */
    size_t (*take)(struct bank *b, size_t n, size_t align, size_t end);

    /* Takes up to max units, wherever they are, and stores them; returns how
     * many. Fewer: there are no more. */
    size_t (*take_some)(struct bank *b, size_t max, size_t unit[]);

    /* Takes these n units if all are free; false, and nothing, otherwise. */
    bool (*take_at)(struct bank *b, size_t first, size_t n);

    /* NULL, or what does not agree with the frames' entries. */
    const char *(*check)(struct bank *b);
};
