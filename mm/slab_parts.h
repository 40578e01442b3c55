/* What the files of the object caches share; nobody else includes this. */
#pragma once

#include "mm/slab.h"

#include <arch/irq.h>
#include <oct/assert.h>
#include <oct/list.h>
#include <oct/lock.h>

/* What stands for an object in its slab's link[]: the next free object, or: */
#define LINK_END 0xffffu    /* it is free, and the last */
#define LINK_LIVE 0xfffeu   /* somebody has it */
#define LINK_CACHED 0xfffdu /* it is in a magazine */
#define SLAB_OBJECTS_MAX 0xfff0u

#define ROUNDS_MAX 64u /* in a magazine, of any cache */

/* At the start of a run of frames labelled FRAME_SLAB. */
struct slab {
    struct list in_list;
    struct kmem_cache *cache;
    uint16_t taken; /* objects */
    uint16_t free;  /* the first free one, or LINK_END */
    uint16_t link[];
};

/* An object goes from LINK_LIVE to LINK_CACHED and back without the lock, while
 * others, who hold it, look. */
static inline uint16_t link_get(const uint16_t *link)
{
    return __atomic_load_n(link, __ATOMIC_RELAXED);
}

static inline void link_set(uint16_t *link, size_t value)
{
    __atomic_store_n(link, (uint16_t)value, __ATOMIC_RELAXED);
}

static inline struct slab *slab_in(struct list *node)
{
    return container_of(node, struct slab, in_list);
}

static inline struct kmem_cache *cache_in(struct list *node)
{
    return container_of(node, struct kmem_cache, in_caches);
}

static inline void *object_at(const struct slab *s, size_t i)
{
    return (char *)(uintptr_t)s + s->cache->first + i * s->cache->stride;
}

/* The slab over these frames in which p lies, or NULL. */
static inline struct slab *slab_of(struct frames *frames, const void *p)
{
    paddr_t pa =
        frames_run_start(frames, frames_address(frames, p), FRAME_SLAB);
    return pa ? frames_view(frames, pa) : NULL;
}

static inline bool has_link(const struct slab *s, const uint16_t *link)
{
    return link >= s->link && link < s->link + s->cache->per_slab;
}

static inline bool is_watched(const struct kmem_cache *c)
{
    return c->flags & (SLAB_POISON | SLAB_RED_ZONE);
}

/* The list that a slab belongs in. */
static inline struct list *list_for(const struct slab *s)
{
    struct kmem_cache *c = s->cache;
    if (s->taken == 0)
        return &c->empty;
    return s->taken == c->per_slab ? &c->full : &c->partly;
}

/* --- slab_frames.c: slabs, and the objects in them --- */

/* A slab that is on no list yet, or NULL. Without the lock: the frame manager
 * may have this cache shrunk on the way. */
struct slab *new_slab(struct kmem_cache *c, gfp_t gfp);

/* The rest with the cache's lock held. */
void add_slab(struct kmem_cache *c, struct slab *s);

/* Takes up to n objects out of the slabs there are. Stores where they are and,
 * unless that is NULL, where their links are, which say LINK_LIVE. Returns how
 * many. */
size_t slab_pop(struct kmem_cache *c, size_t n, void **out, uint16_t **link);

/* Puts back objects of s that are not free, as many of the n as begin the row
 * without a stranger: the first is no stranger. Returns how many. */
size_t slab_push(struct slab *s, const struct round *r, size_t n);

/* Gives back empty slabs until no more than `keep` are left. Returns the
 * frames. */
size_t cache_settle(struct kmem_cache *c, size_t keep);

/* --- slab_cpu.c: objects in magazines --- */

/* Stands for the racks that a CPU does not have. */
extern struct slab_racks no_racks;

/* This CPU's, whose interrupts are off. */
static inline struct rack *cpu_rack(const struct kmem_cache *c)
{
    unsigned cpu = arch_cpu_id();
    if (cpu >= c->cpus)
        return no_racks.rack;
    return &__atomic_load_n(&c->cpu[cpu], __ATOMIC_RELAXED)->rack[c->id];
}

/* An object out of the rack, whose loaded magazine was found empty; from the
 * depot, or the slabs there are. NULL: there is none. */
void *cpu_refill(struct kmem_cache *c);

/* Puts one that is not free into the rack, whose loaded magazine was found
 * full. False: there is no room, and no memory for any. */
bool cpu_make_room(struct kmem_cache *c, void *p, uint16_t *link);

/* Puts what this CPU and the depot have back into the slabs. Returns the
 * objects. More slabs than should be may be empty then. */
size_t cpu_flush(struct kmem_cache *c);

/* The same for any one CPU, which gives up its magazines as well. The cache's
 * lock is held. */
void cpu_drop(struct kmem_cache *c, unsigned cpu);

/* Gives up this CPU's racks, or one's that no longer runs, if there is nothing
 * in any. The set's lock is held: nobody else looks at them. */
void cpu_retire(struct slabs *s, unsigned cpu);

/* Why what lies in magazines is not as it should be, or NULL. The cache's lock
 * is held. */
const char *cpu_check(struct kmem_cache *c, size_t cached);

/* --- slab_make.c --- */

/* NULL, or why there is no cache. */
const char *slabs_make(struct slabs *s, struct kmem_cache **out,
                       const char *name, size_t size, size_t align,
                       unsigned flags, void (*ctor)(void *));

/* --- slab_info.c --- */

/* Objects that somebody has. Looks at all of them. The cache's lock is held. */
size_t count_live(struct kmem_cache *c);

/* --- slab_debug.c: what SLAB_POISON and SLAB_RED_ZONE do --- */

/* An object as its slab is made, as it is handed out, and as it is taken back;
 * damage is reported. */
void debug_make(const struct kmem_cache *c, void *p);
void debug_take(const struct kmem_cache *c, void *p, vaddr_t caller);
void debug_give(const struct kmem_cache *c, void *p, vaddr_t caller);

/* NULL, or what is damaged: reported. */
const char *debug_check(const struct kmem_cache *c, void *p, bool live);
