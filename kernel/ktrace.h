/* Traces in the kernel (docs/traces.md): recording what kmalloc is asked for,
 * and replaying such records. */
#pragma once

#include <oct/boot_info.h>

/* Bytes of memory for a recording, if nobody says how many. */
#define KTRACE_BYTES ((size_t)(1 * MiB))

/* Remembers what the loader brought, and begins to record if one of the words
 * of the command line is trace or trace=BYTES. Once, when the heap runs. */
void ktrace_init(const struct boot_info *boot);

/* Forgets the trace there is and begins another, in `bytes` bytes of memory
 * that it takes now: half for the trace, half to know objects again. When
 * either is full recording stops by itself. Returns 0, -EBUSY (it records), or
 * -EINVAL (too few bytes), -ENOMEM. */
int ktrace_start(size_t bytes);

/* Ends the trace, which stays until the next start. Nothing if none began. */
void ktrace_stop(void);

struct ktrace_status {
    bool on;
    uint64_t events;
    size_t bytes, limit; /* of the trace, and at most */
};

struct ktrace_status ktrace_status(void);

/* The trace recorded last, or NULL if there is none or it goes on; *n gets its
 * bytes. ktrace_loaded: the initial RAM disk, whatever it is, or NULL. */
const void *ktrace_recorded(size_t *n);
const void *ktrace_loaded(size_t *n);

/* Prints the trace as hexadecimal lines that octtrace reads. */
void ktrace_dump(const void *trace, size_t n);

/* bench/replay.c: replays it on the kernel heap, once with all contents checked
 * and once for time, and prints lines "result NAME VALUE", equal on all
 * machines; "fact NAME VALUE"; "bench NAME COUNT" for an event; and "series
 * STEP LIVE TAKEN". False, and it is reported, if it is no trace, there is no
 * memory, or an object's content was wrong. */
bool ktrace_replay(const void *trace, size_t n);
