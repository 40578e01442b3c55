/* oct's memory manager as a library: frames, heaps and object caches that a
 * program makes as many of as it likes. They are the kernel's own (mm/),
 * compiled for this machine; nothing here is a copy.
 *
 * Everything may be called from several threads at once. Threads stand for
 * CPUs: each keeps a few frames and objects at hand in every instance that it
 * uses. An instance must outlive all calls on it, and a heap or cache its
 * frames.
 *
 * Wrong calls (a second free, a foreign address) change nothing, are reported
 * (oct_on_report) and return -EINVAL. No call aborts for lack of memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define OCT_FRAME ((size_t)4096) /* bytes */

/* --- frames --- */

enum oct_manager { OCT_BITMAP, OCT_BUDDY };

struct oct_frames;

/* Frames over `bytes` of address space (whole frames) that the library reserves
 * for itself and gives memory to as it is used. NULL: no room (errno). */
struct oct_frames *oct_frames_create(uint64_t bytes, enum oct_manager manager);

/* The same over memory of the caller's, aligned to OCT_FRAME; what the manager
 * keeps about it lies elsewhere. It stays the caller's. */
struct oct_frames *oct_frames_over(void *memory, size_t bytes,
                                   enum oct_manager manager);

/* Frames of a machine with that much RAM, of which there is none here: to
 * measure the manager. Heaps and caches cannot be made over them, and
 * oct_frame_at is NULL. OCT_BITMAP only: a buddy keeps its lists in the
 * frames. */
struct oct_frames *oct_frames_simulate(uint64_t bytes);

/* All that was allocated from it is gone with it. */
void oct_frames_destroy(struct oct_frames *f);

/* One frame: its address in bytes, counted from the start of the range as
 * physical addresses are; never 0, which means none left. Not zeroed. */
uint64_t oct_frame_alloc(struct oct_frames *f);
int oct_frame_free(struct oct_frames *f, uint64_t frame);

/* n frames in a row, the first at a multiple of `align` frames (a power of
 * two); 0 if there is no such run. Freed as they were allocated: all of it. */
uint64_t oct_frames_alloc(struct oct_frames *f, size_t n, size_t align);
int oct_frames_free(struct oct_frames *f, uint64_t first, size_t n);

/* Where the program finds that frame. */
void *oct_frame_at(struct oct_frames *f, uint64_t frame);

struct oct_frames_stats {
    size_t total, free;  /* frames; those at hand for threads count as free */
    size_t cached;       /* of them, at hand for threads */
    size_t longest;      /* frames of the longest free run */
    size_t whole_groups; /* groups (2 MiB, aligned) that are all free */
    size_t map_bytes;    /* what decides which frames are free, */
    size_t owner_bytes;  /* and what says whose the others are */
};

/* Looks at every frame: slow. */
void oct_frames_stats(struct oct_frames *f, struct oct_frames_stats *out);

/* Has the calling thread's frames at hand given back to all, and those of
 * threads that are no more; and the memory of free frames, where 256 KiB in a
 * row are free, to the operating system. */
void oct_frames_trim(struct oct_frames *f);

/* NULL if every invariant holds, else which does not. No other thread may use
 * the instance meanwhile. */
const char *oct_frames_check(struct oct_frames *f);

/* --- heaps --- */

enum oct_heap_kind { OCT_TAGGED, OCT_SLAB };

struct oct_heap;

/* NULL: no memory for it. */
struct oct_heap *oct_heap_create(struct oct_frames *f, enum oct_heap_kind kind);

/* All its objects are gone with it, and their frames go back. */
void oct_heap_destroy(struct oct_heap *h);

/* `size` bytes, aligned to 32 at least; a power of two up to a page to itself.
 * Size 0 gives a pointer that may only be freed. NULL: no memory. */
void *oct_alloc(struct oct_heap *h, size_t size);
void *oct_zalloc(struct oct_heap *h, size_t size); /* zeroed */

/* At a multiple of `align` bytes, any power of two. */
void *oct_alloc_aligned(struct oct_heap *h, size_t size, size_t align);

/* p = NULL allocates; size 0 frees and returns NULL; on failure p stays. Keeps
 * only the alignment of oct_alloc. */
void *oct_realloc(struct oct_heap *h, void *p, size_t size);

/* NULL is nothing. */
int oct_free(struct oct_heap *h, void *p);

/* Bytes that may be used at p; 0 for what oct_free would refuse. */
size_t oct_size(struct oct_heap *h, const void *p);

struct oct_heap_stats {
    size_t frames;  /* taken from the frames, */
    size_t live;    /* bytes of them in objects that the program has, */
    size_t objects; /* how many those are, */
    size_t cached;  /* bytes in objects at hand for threads, */
    size_t free;    /* bytes free, */
    size_t largest; /* bytes of the longest free run */
};

void oct_heap_stats(struct oct_heap *h, struct oct_heap_stats *out);

/* Gives what is kept only to be fast back to the frames: all that no running
 * thread but the caller has at hand. Returns how many frames that were. Then as
 * oct_frames_trim. */
size_t oct_heap_trim(struct oct_heap *h);

/* As oct_frames_check; the frames are not looked at. */
const char *oct_heap_check(struct oct_heap *h);

/* --- object caches --- */

struct oct_cache;

/* Objects of `size` bytes at multiples of `align` (a power of two up to a page;
 * 0: any). `made` (or NULL) is called once for each object when its slab is
 * made; an object is freed in the state that `made` left. NULL: no memory. The
 * name (up to 31 bytes are kept) is for reports. */
struct oct_cache *oct_cache_create(struct oct_frames *f, const char *name,
                                   size_t size, size_t align,
                                   void (*made)(void *object));

/* Returns 0, or -EBUSY, and nothing is done, if objects are live. */
int oct_cache_destroy(struct oct_cache *c);

void *oct_cache_alloc(struct oct_cache *c); /* NULL: no memory */
int oct_cache_free(struct oct_cache *c, void *p);
const char *oct_cache_check(struct oct_cache *c);

/* --- all of them --- */

/* Where reports of wrong calls go, one line without its end each; NULL (the
 * start): standard error. Called with locks held: it must not allocate from
 * oct. */
void oct_on_report(void (*report)(const char *line));

/* Around fork(), for instances that parent and child both go on with: the first
 * waits until no other thread is inside of oct's locks and keeps it so. In the
 * child, what other threads had at hand becomes the new threads'. */
void oct_before_fork(void);
void oct_after_fork_in_parent(void);
void oct_after_fork_in_child(void);

#ifdef __cplusplus
}
#endif
