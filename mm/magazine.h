/* Magazines: small stacks of objects that each CPU keeps at hand, in front of
 * an allocator of any kind. After J. Bonwick and J. Adams, "Magazines and Vmem:
 * Extending the Slab Allocator to Many CPUs and Arbitrary Resources" (2001).
 *
 * For each kind of object a CPU has a rack with two magazines: the loaded one,
 * from which it allocates and to which it frees, and a spare. Both empty, or
 * both full: then one is exchanged at the kind's depot, which all CPUs share.
 * So of a magazine's length of calls one at most takes a lock.
 *
 * Racks belong to a CPU, and only it touches them, with its interrupts off
 * (<arch/irq.h>). What lies in a magazine is still the allocator's business: it
 * keeps a mark at every object that says so, whose address travels with the
 * object. */
#pragma once

#include <oct/lock.h>
#include <oct/types.h>

struct round {
    void *object;
    void *mark; /* where the allocator marks whether it is live */
};

struct magazine {
    struct magazine *next; /* in its depot */
    unsigned count;        /* rounds in it */
    unsigned capacity;
    struct round round[];
};

/* The count of the loaded magazine is kept here, beside its address, while it
 * is loaded; in the magazine itself it is stale. */
struct rack {
    struct magazine *loaded; /* never NULL; at first &no_magazine */
    unsigned count, capacity;
    struct magazine *spare; /* the same */
};

/* Stands for a magazine that there is not: both empty and full. */
extern struct magazine no_magazine;

#define NO_RACK                                                                \
    {                                                                          \
        &no_magazine, 0, 0, &no_magazine                                       \
    }

struct depot {
    struct lock lock;              /* guards the rest */
    struct magazine *full, *empty; /* magazines */
    unsigned fulls;                /* how many are full */
};

/* Takes a round from the loaded magazine, or returns NULL if it is empty. */
static inline struct round *rack_pop(struct rack *r)
{
    return r->count > 0 ? &r->loaded->round[--r->count] : NULL;
}

/* Puts a round into the loaded magazine; false if it is full. */
static inline bool rack_push(struct rack *r, void *object, void *mark)
{
    if (r->count == r->capacity)
        return false;
    r->loaded->round[r->count++] = (struct round){object, mark};
    return true;
}

/* Takes the loaded magazine out, and leaves none; or loads one where there is
 * none. */
struct magazine *rack_unmount(struct rack *r);
void rack_mount(struct rack *r, struct magazine *m);

/* The loaded magazine is empty: loads one that is not, the spare or a full one
 * of the depot's. False if there is none. */
bool rack_load(struct rack *r, struct depot *d);

/* The loaded magazine is full, or there is none: loads one with room, the spare
 * or an empty one of the depot's, to which a full one goes. False if there is
 * none. */
bool rack_unload(struct rack *r, struct depot *d);

/* Takes one magazine out of the depot, full or empty; NULL if there is none. */
struct magazine *depot_take_full(struct depot *d);
struct magazine *depot_take_empty(struct depot *d);

/* Gives one to the depot: it is full, or it is empty. */
void depot_give(struct depot *d, struct magazine *m);
