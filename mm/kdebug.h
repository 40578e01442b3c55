/* Debugging of the kernel heap, whichever it is: what is written where it does
 * not belong, freed twice, used after it was freed or never freed at all.
 *
 * Off, it costs a test a call and not one byte. On, behind the bytes asked for
 * each object has a red zone, and at its end a record of who asked for it. A
 * power of two of 64 bytes to a page, which kmalloc aligns to its size, is
 * asked of the heap as twice that, so it lies as promised; the rest costs
 * KDEBUG_TRAILER bytes.
 *
 * Limits: reads are not noticed, nor are writes that hit another live object's
 * own bytes. What is written is noticed when the object is freed, resized,
 * checked or leaves the quarantine, not when it happens. */
#pragma once

#include "mm/gfp.h"

#include <oct/types.h>

#define KDEBUG_REDZONE 1u    /* notice writes behind an object */
#define KDEBUG_POISON 2u     /* fill fresh and freed objects */
#define KDEBUG_QUARANTINE 4u /* keep freed objects from being reused */
#define KDEBUG_OWNER 8u      /* remember who allocated */
#define KDEBUG_ALL 15u

#define KDEBUG_TRAILER 64u /* bytes more than asked for, at most */

#define KDEBUG_FRESH 0xcf /* fills fresh objects, */
#define KDEBUG_FREED 0x6d /* freed ones, */
#define KDEBUG_ZONE 0xb7  /* and red zones */

/* Bytes in quarantine, at most: objects whole, with red zone and record. */
#define KDEBUG_BUDGET ((size_t)(256 * KiB))

/* Chooses among the KDEBUG_ flags for objects allocated from now on; those that
 * live keep what they have. To tell both kinds apart the live objects of the
 * other kind are put on a list, which shrinks as they are freed; from boot on,
 * when set before the heap begins, it is empty. Returns 0, or -ENOMEM: no
 * room for the list, nothing has changed. */
MUST_CHECK int kdebug_set(unsigned flags);
unsigned kdebug_flags(void);

/* The flags named by words such as "redzone,owner" or "all", as far as the
 * first blank. Unknown words are reported. */
unsigned kdebug_parse(const char *words);

/* What is known of an object of the heap. */
struct kdebug_object {
    const void *p;
    size_t size;            /* bytes asked for; bytes it has if not known */
    size_t room;            /* bytes that the heap gave */
    bool recorded;          /* there is a record of it: */
    vaddr_t allocated_by;   /* 0: not known */
    vaddr_t freed_by;       /* if it is in quarantine, else 0 */
    unsigned long sequence; /* objects with records are numbered from 1 on */
};

/* Calls visit for each object, live or in quarantine, with or without a record.
 * visit must not use the heap, nor may anybody else meanwhile. */
void kdebug_each(void (*visit)(void *context, const struct kdebug_object *o),
                 void *context);

struct kdebug_stats {
    unsigned long sequence;   /* number of the newest object */
    unsigned long damaged;    /* objects found damaged, */
    size_t quarantined;       /* in quarantine, */
    size_t quarantined_bytes; /* of so many bytes, */
    size_t others;            /* live and of the other kind */
};

void kdebug_stats(struct kdebug_stats *out);

/* Empties the quarantine. Returns the frames that came free. */
size_t kdebug_drain(void);

/* --- for mm/kmalloc.c: its calls of the heap while kdebug_on --- */

struct heap_object;

extern bool kdebug_active;

static inline bool kdebug_on(void)
{
    return __builtin_expect(kdebug_active, false);
}

/* Once, before anything is allocated. */
void kdebug_init(void);

/* As the functions of struct heap_ops with these names. Damage is reported with
 * `caller`; a damaged object is freed all the same. */
void *kdebug_alloc(size_t size, gfp_t flags, vaddr_t caller);
const char *kdebug_free(const void *p, vaddr_t caller);
struct heap_object kdebug_find(const void *p);
bool kdebug_resize(void *p, size_t size, vaddr_t caller);

/* NULL if no object is damaged. Those that are, are reported. */
const char *kdebug_check(void);
