/* What the files of heap debugging share; nobody else includes this. */
#pragma once

#include "mm/kdebug.h"
#include "mm/kheap_backend.h"

#include <oct/lock.h>

/* Of an object with room for n bytes:
 *
 *   0         size                       n - sizeof(record)          n
 *   +---------+--------------------------+---------------------------+
 *   | object  | red zone: KDEBUG_ZONE .. | record             guard  |
 *   +---------+--------------------------+---------------------------+
 *
 * `check` sums up the record, so any change to it is noticed. The guard is a
 * red zone too: it is what writes in front of the next object hit first. */
struct record {
    size_t size;            /* bytes asked for */
    vaddr_t allocated_by;   /* 0: not asked to remember */
    vaddr_t freed_by;       /* live: 0 */
    unsigned long sequence; /* number of the object */
    uint16_t flags;         /* KDEBUG_, as they were when it was allocated */
    uint16_t freed;         /* it is in quarantine */
    uint32_t check;         /* last but the guard */
    uint8_t guard[8];
};

#define ZONE_MIN 8
#define KDEBUG_ALIGN 32u /* of all objects, and of the room they have */

_Static_assert(sizeof(struct record) + ZONE_MIN <= KDEBUG_TRAILER,
               "it may double an object of 64 bytes, not more");

/* Where the record of an object with room for `room` bytes lies. */
static inline struct record *record_of(const void *p, size_t room)
{
    return (struct record *)(void *)((char *)(uintptr_t)p + room) - 1;
}

/* Makes the record agree with itself, after it was changed. */
void record_seal(struct record *r);
bool record_holds(const struct record *r);

/* Makes red zone, record and guard whole. */
void record_dress(void *p, size_t room, const struct record *r);

/* NULL, or what of the object is damaged; *extent: how many bytes of it. */
const char *record_damage(const void *p, size_t room, size_t *extent);

/* The same, with a report that begins with `who`. */
const char *record_report(const void *p, size_t room, const char *who,
                          vaddr_t caller);

/* --- the quarantine --- */

/* Keeps p until others have taken its place; false: there is no room for that,
 * and p stays the caller's. */
bool quarantine_push(const void *p, size_t room);

/* Is p among them? Looks at all. The lock is held. */
bool quarantine_holds(const void *p);

/* --- the exceptions --- */

/* Live objects that are not of the present kind. */
struct exceptions {
    uintptr_t *slot; /* addresses by hash, 0: none, 1: one was here */
    size_t slots;    /* a power of two */
    size_t count;    /* addresses */
};

/* Makes an empty set for n addresses. Returns 0 or -ENOMEM. */
MUST_CHECK int exceptions_init(struct exceptions *e, size_t n);
void exceptions_destroy(struct exceptions *e);

void exceptions_add(struct exceptions *e, const void *p);
bool exceptions_have(const struct exceptions *e, const void *p);
void exceptions_remove(struct exceptions *e, const void *p);

/* --- all of it --- */

struct kdebug {
    struct lock lock; /* guards the rest, all records, and the quarantine */
    bool started;     /* there is a heap */
    unsigned flags;
    unsigned long sequence;
    unsigned long damaged;
    struct exceptions others;
};

extern struct kdebug kdebug;

/* Has the object at p, live or in quarantine, a record? The lock is held. */
bool kdebug_is_recorded(const void *p);
