/* Free runs, found by length. What is free says the tags; so that nobody has to
 * look for it there, each longest-possible run of free subblocks also describes
 * itself, in the memory that it has no other use for: links and its length in
 * its first bytes, its length again in its last. So freeing finds the runs
 * beside an object without counting tags, and allocating finds a run of a
 * length on a list.
 *
 * There is a list for each length up to EXACT, and one for each octave above.
 * Which lists have anything on them is a bitset, so the next longer run is
 * found at once. All of this can be derived from the tags anew, and kheap_check
 * compares.
 */
#include "mm/kheap_blocks.h"

#include <oct/assert.h>

#define LOOK_MAX 4 /* runs tried on a list on which not every run fits */

struct run {
    struct list link;
    size_t n;
};

/* In the last bytes of a run. A run of one subblock has room for both. */
struct run_end {
    size_t n;
};

_Static_assert(sizeof(struct run) + sizeof(struct run_end) <= SUBBLOCK,
               "a subblock holds what a free run says about itself");

static unsigned log2_of(size_t n)
{
    return (unsigned)(WORD_BITS - 1) - (unsigned)__builtin_clzl(n);
}

static unsigned list_for(size_t n)
{
    assert(n > 0);
    return n <= RUNS_EXACT ? (unsigned)n - 1
                           : RUNS_EXACT + log2_of(n) - log2_of(RUNS_EXACT);
}

static struct run *run_at(struct block *b, size_t i)
{
    return subblock_at(b, i);
}

static struct run_end *end_at(struct block *b, size_t end)
{
    char *p = subblock_at(b, end);
    return (struct run_end *)(void *)(p - sizeof(struct run_end));
}

void runs_init(struct tagged *t)
{
    assert(bitset_bytes(RUNS_LISTS) <= sizeof(t->used_words));
    bitset_init(&t->used_lists, t->used_words, RUNS_LISTS);
    for (size_t i = 0; i < RUNS_LISTS; i++)
        list_init(&t->runs[i]);
}

void runs_add(struct tagged *t, struct block *b, size_t i, size_t n)
{
    assert(tag_at(b, i - 1) != TAG_FREE);
    struct run *run = run_at(b, i);
    unsigned list = list_for(n);
    run->n = n;
    end_at(b, i + n)->n = n;
    if (list_empty(&t->runs[list]))
        bitset_add(&t->used_lists, list);
    list_push(&t->runs[list], &run->link);
}

void runs_remove(struct tagged *t, struct block *b, size_t i, size_t n)
{
    struct run *run = run_at(b, i);
    unsigned list = list_for(n);
    assert(run->n == n && end_at(b, i + n)->n == n); /* nobody wrote there */
    assert(run->link.next->prev == &run->link);
    list_remove(&run->link);
    if (list_empty(&t->runs[list]))
        bitset_remove(&t->used_lists, list);
}

size_t runs_before(struct block *b, size_t i)
{
    return tag_at(b, i - 1) == TAG_FREE ? end_at(b, i)->n : 0;
}

size_t runs_from(struct block *b, size_t i)
{
    bool free = i < block_subblocks(b) && tag_at(b, i) == TAG_FREE;
    return free ? run_at(b, i)->n : 0;
}

/* Does the run hold n subblocks that begin at a multiple of align? */
static struct place place_in(const struct tagged *t, struct run *run, size_t n,
                             size_t align)
{
    struct block *b = block_of(t, run);
    size_t i = (size_t)((char *)run - (char *)b) / SUBBLOCK;
    size_t base = (uintptr_t)b / SUBBLOCK;
    size_t first = round_up_size(base + i, align) - base;
    bool fits = first + n <= i + run->n;
    return (struct place){fits ? b : NULL, i, run->n, first};
}

struct place runs_find(struct tagged *t, size_t n, size_t align)
{
    assert(lock_held(&t->lock) && is_power_of_two(align));
    size_t list = bitset_next(&t->used_lists, list_for(n));
    for (; list != BITSET_NONE; list = bitset_next(&t->used_lists, list + 1)) {
        unsigned looked = 0;
        list_for_each (link, &t->runs[list]) {
            struct run *run = container_of(link, struct run, link);
            struct place place = place_in(t, run, n, align);
            if (place.block)
                return place;
            if (++looked == LOOK_MAX && list + 1 < RUNS_LISTS)
                break;
        }
    }
    return (struct place){NULL, 0, 0, 0};
}

/* The longest run is on the last list that has any. */
size_t runs_longest(struct tagged *t)
{
    assert(lock_held(&t->lock));
    size_t longest = 0, last = BITSET_NONE, list = 0;
    while ((list = bitset_next(&t->used_lists, list)) != BITSET_NONE)
        last = list++;
    if (last != BITSET_NONE)
        list_for_each (link, &t->runs[last])
            longest =
                max_size(longest, container_of(link, struct run, link)->n);
    return longest;
}

bool runs_describe(struct tagged *t, struct block *b, size_t i, size_t n)
{
    const struct run *run = run_at(b, i);
    return run->n == n && end_at(b, i + n)->n == n &&
           run->link.next->prev == &run->link &&
           bitset_has(&t->used_lists, list_for(n));
}

size_t runs_count(struct tagged *t)
{
    assert(lock_held(&t->lock));
    size_t count = 0;
    for (size_t i = 0; i < RUNS_LISTS; i++)
        list_for_each (link, &t->runs[i]) {
            if (list_for(container_of(link, struct run, link)->n) != i)
                return (size_t)-1;
            count++;
        }
    return count;
}
