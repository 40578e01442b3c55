/* A churn of every sort of memory, step for step the same on all machines, and
 * who owns each frame afterwards: lab/report draws it. */
#include "kernel/command.h"
#include "mm/kheap.h"
#include "mm/pages.h"
#include "mm/pmm.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"

#include <oct/print.h>
#include <oct/string.h>

/* --- churn --- */

#define SLOTS 10240
#define STEPS (8 * SLOTS) /* so that about half of the slots are full */

static struct kmem_cache *things; /* with their slots, while there is a churn */
static struct slot {
    const struct sort *sort; /* NULL: empty */
    void *p;
    unsigned amount;
} * slots;

static void *take_thing(unsigned amount)
{
    (void)amount;
    return kmem_cache_alloc(things, GFP_KERNEL | __GFP_NOWARN);
}

static void give_thing(void *p, unsigned amount)
{
    (void)amount;
    kmem_cache_free(things, p);
}

static void *take_bytes(unsigned amount)
{
    return kmalloc(amount, GFP_KERNEL | __GFP_NOWARN);
}

static void give_bytes(void *p, unsigned amount)
{
    (void)amount;
    kfree(p);
}

static void *take_pages(unsigned amount)
{
    return alloc_pages(GFP_KERNEL | __GFP_NOWARN, amount - 1);
}

static void give_pages(void *p, unsigned amount)
{
    free_pages(p, amount - 1);
}

static void *take_area(unsigned amount)
{
    return __vmalloc(amount * PAGE_SIZE, GFP_KERNEL | __GFP_NOWARN);
}

static void give_area(void *p, unsigned amount)
{
    (void)amount;
    vfree(p);
}

static const struct sort {
    unsigned parts;  /* of 32 requests */
    unsigned amount; /* at most, at least 1 */
    void *(*take)(unsigned amount);
    void (*give)(void *p, unsigned amount);
} sorts[] = {
    {16, 1, take_thing, give_thing},     /* objects of one size */
    {6, 4000, take_bytes, give_bytes},   /* bytes of heap */
    {2, 100000, take_bytes, give_bytes}, /* many of them */
    {4, 6, take_pages, give_pages},      /* orders of pages */
    {4, 32, take_area, give_area},       /* pages of vmalloc */
};

/* Marsaglia's xorshift. */
static uint32_t below(uint32_t *state, uint32_t n)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % n;
}

static const struct sort *draw_sort(uint32_t *state)
{
    unsigned part = below(state, 32);
    const struct sort *sort = sorts;
    while (part >= sort->parts)
        part -= sort++->parts;
    return sort;
}

static void empty(struct slot *s)
{
    if (s->sort)
        s->sort->give(s->p, s->amount);
    s->sort = NULL;
}

/* False if there was no memory. */
static bool fill(struct slot *s, uint32_t *state)
{
    const struct sort *sort = draw_sort(state);
    s->amount = 1 + below(state, sort->amount);
    s->p = sort->take(s->amount);
    s->sort = s->p ? sort : NULL;
    return s->p != NULL;
}

/* And lets nothing lie at hand, for another to begin where this one did. */
static bool end_churn(void)
{
    for (size_t i = 0; slots && i < SLOTS; i++)
        empty(&slots[i]);
    vfree(slots);
    slots = NULL;
    if (things && kmem_cache_destroy(things))
        return false;
    things = NULL;
    pmm_reclaim();
    return true;
}

static bool start_churn(void)
{
    if (!end_churn())
        return false;
    slots = vzalloc(SLOTS * sizeof(*slots));
    things = kmem_cache_create("churned thing", 2000, 0, 0, NULL);
    if (slots && things)
        return true;
    end_churn();
    return false;
}

static void churn(uint32_t state)
{
    size_t refused = 0, live = 0;
    for (unsigned step = 0; step < STEPS; step++) {
        struct slot *s = &slots[below(&state, SLOTS)];
        if (s->sort)
            empty(s);
        else
            refused += !fill(s, &state);
    }
    for (size_t i = 0; i < SLOTS; i++)
        live += slots[i].sort != NULL;
    kprintf("%u steps: %zu pieces of memory live, %zu requests refused\n",
            STEPS, live, refused);
}

COMMAND(churn, "SEED|end", "takes and frees memory of every sort at random")
{
    size_t seed;
    if (argc != 2)
        return false;
    if (strcmp(argv[1], "end") == 0) {
        if (!end_churn())
            kprintf("The cache of things does not go away.\n");
        return true;
    }
    if (!command_number(argv[1], &seed) || (uint32_t)seed == 0)
        return false;
    if (start_churn())
        churn((uint32_t)seed);
    else
        kprintf("There is no memory to begin with.\n");
    return true;
}

/* --- map --- */

#define FRAMES_A_LINE 64

/* True if any of the frames of a line is RAM. */
static bool is_ram(paddr_t at, paddr_t end)
{
    while (at < end && pmm_kind(at) == FRAME_NONE)
        at += PAGE_SIZE;
    return at < end;
}

COMMAND(map, "", "the owner of every frame, for programs to read")
{
    if (argc > 1)
        return false;
    for (unsigned k = 0; k < FRAME_KINDS; k++)
        kprintf("%c  %s\n", 'a' + k, pmm_kind_name((enum frame_kind)k));
    paddr_t at = pmm_start(), next;
    for (; at < pmm_end(); at = next) {
        next = at + FRAMES_A_LINE * PAGE_SIZE;
        if (next > pmm_end())
            next = pmm_end();
        if (!is_ram(at, next))
            continue;
        kprintf("%010llx  ", at);
        for (paddr_t frame = at; frame < next; frame += PAGE_SIZE)
            kprintf("%c", 'a' + (unsigned)pmm_kind(frame));
        kprintf("\n");
    }
    return true;
}
