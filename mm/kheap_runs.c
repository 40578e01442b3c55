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
#include "mm/pmm.h"

#include <oct/assert.h>
#include <oct/kview.h>

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

void runs_init(void)
{
    static unsigned long storage[RUNS_LISTS / 16];
    assert(bitset_bytes(RUNS_LISTS) <= sizeof(storage));
    bitset_init(&heap.used_lists, storage, RUNS_LISTS);
    for (size_t i = 0; i < RUNS_LISTS; i++)
        list_init(&heap.runs[i]);
}

void runs_add(struct block *b, size_t i, size_t n)
{
    assert(b->tag[i - 1] != TAG_FREE);
    struct run *run = run_at(b, i);
    unsigned list = list_for(n);
    run->n = n;
    end_at(b, i + n)->n = n;
    if (list_empty(&heap.runs[list]))
        bitset_add(&heap.used_lists, list);
    list_push(&heap.runs[list], &run->link);
}

void runs_remove(struct block *b, size_t i, size_t n)
{
    struct run *run = run_at(b, i);
    unsigned list = list_for(n);
    assert(run->n == n && end_at(b, i + n)->n == n); /* nobody wrote there */
    assert(run->link.next->prev == &run->link);
    list_remove(&run->link);
    if (list_empty(&heap.runs[list]))
        bitset_remove(&heap.used_lists, list);
}

size_t runs_before(struct block *b, size_t i)
{
    return b->tag[i - 1] == TAG_FREE ? end_at(b, i)->n : 0;
}

size_t runs_from(struct block *b, size_t i)
{
    bool free = i < block_subblocks(b) && b->tag[i] == TAG_FREE;
    return free ? run_at(b, i)->n : 0;
}

/* Does the run hold n subblocks that begin at a multiple of align? */
static struct place place_in(struct run *run, size_t n, size_t align)
{
    struct block *b =
        phys_to_virt(pmm_run_start(virt_to_phys(run), FRAME_HEAP));
    size_t i = (size_t)((char *)run - (char *)b) / SUBBLOCK;
    size_t first = round_up_size(i, align);
    bool fits = first + n <= i + run->n;
    return (struct place){fits ? b : NULL, i, run->n, first};
}

struct place runs_find(size_t n, size_t align)
{
    assert(lock_held(&heap.lock) && is_power_of_two(align));
    size_t list = bitset_next(&heap.used_lists, list_for(n));
    for (; list != BITSET_NONE;
         list = bitset_next(&heap.used_lists, list + 1)) {
        unsigned looked = 0;
        list_for_each (link, &heap.runs[list]) {
            struct run *run = container_of(link, struct run, link);
            struct place place = place_in(run, n, align);
            if (place.block)
                return place;
            if (++looked == LOOK_MAX && list + 1 < RUNS_LISTS)
                break;
        }
    }
    return (struct place){NULL, 0, 0, 0};
}

/* The longest run is on the last list that has any. */
size_t runs_longest(void)
{
    assert(lock_held(&heap.lock));
    size_t longest = 0, last = BITSET_NONE, list = 0;
    while ((list = bitset_next(&heap.used_lists, list)) != BITSET_NONE)
        last = list++;
    if (last != BITSET_NONE)
        list_for_each (link, &heap.runs[last])
            longest =
                max_size(longest, container_of(link, struct run, link)->n);
    return longest;
}

bool runs_describe(struct block *b, size_t i, size_t n)
{
    const struct run *run = run_at(b, i);
    return run->n == n && end_at(b, i + n)->n == n &&
           run->link.next->prev == &run->link &&
           bitset_has(&heap.used_lists, list_for(n));
}

size_t runs_count(void)
{
    assert(lock_held(&heap.lock));
    size_t count = 0;
    for (size_t i = 0; i < RUNS_LISTS; i++)
        list_for_each (link, &heap.runs[i]) {
            if (list_for(container_of(link, struct run, link)->n) != i)
                return (size_t)-1;
            count++;
        }
    return count;
}
