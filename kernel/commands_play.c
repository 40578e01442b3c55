/* Memory to play with: taken and given back by hand, kept on a list. */
#include "kernel/command.h"
#include "kernel/console.h"
#include "mm/kheap.h"
#include "mm/pmm.h"

#include <oct/kview.h>
#include <oct/list.h>
#include <oct/print.h>
#include <oct/string.h>

struct toy {
    struct list others;
    unsigned id;
    bool in_heap;  /* else frames */
    size_t amount; /* bytes or frames */
    paddr_t addr;  /* virtual in the heap, physical for frames */
};

static struct list toys = LIST_INIT(toys);
static unsigned last_id;

static struct toy *toy_at(struct list *node)
{
    return container_of(node, struct toy, others);
}

static void print_toy(const struct toy *t)
{
    kprintf("  %u: %zu %s at 0x%08llx\n", t->id, t->amount,
            t->in_heap       ? "bytes of heap"
            : t->amount == 1 ? "frame"
                             : "frames",
            t->addr);
}

static paddr_t take(bool in_heap, size_t amount)
{
    if (in_heap)
        return (uintptr_t)kmalloc(amount, GFP_KERNEL);
    return amount == 1 ? pmm_alloc() : pmm_allocs(amount);
}

static void give_back(bool in_heap, paddr_t addr, size_t amount)
{
    if (in_heap)
        kfree((const void *)(uintptr_t)addr);
    else
        (void)pmm_frees(addr, amount);
}

static void buy(bool in_heap, size_t amount)
{
    struct toy *t = kmalloc(sizeof(*t), GFP_KERNEL | __GFP_NOWARN);
    paddr_t addr = t ? take(in_heap, amount) : 0;
    if (!addr) {
        kfree(t);
        kprintf("There is not so much memory.\n");
        return;
    }
    *t = (struct toy){
        .id = ++last_id, .in_heap = in_heap, .amount = amount, .addr = addr};
    list_append(&toys, &t->others);
    print_toy(t);
}

static void drop(struct toy *t)
{
    list_remove(&t->others);
    give_back(t->in_heap, t->addr, t->amount);
    kfree(t);
}

static struct toy *find(size_t id_or_addr)
{
    list_for_each (node, &toys)
        if (toy_at(node)->id == id_or_addr || toy_at(node)->addr == id_or_addr)
            return toy_at(node);
    return NULL;
}

static void list_toys(void)
{
    if (list_empty(&toys))
        kprintf("Nothing is allocated by hand.\n");
    list_for_each (node, &toys)
        print_toy(toy_at(node));
}

COMMAND(alloc, "frame|pages N|heap SIZE", "allocates by hand; alone: lists it")
{
    size_t amount = 1;
    if (argc == 1) {
        list_toys();
        return true;
    }
    if (argc != (strcmp(argv[1], "frame") == 0 ? 2 : 3))
        return false;
    if (argc == 3 && !command_number(argv[2], &amount))
        return false;
    bool in_heap = strcmp(argv[1], "heap") == 0;
    if (argc == 3 && !in_heap && (amount == 0 || strcmp(argv[1], "pages") != 0))
        return false;
    buy(in_heap, amount);
    return true;
}

/* What is not on the list goes to its allocator all the same: seeing a wrong
 * free refused is part of the game. */
static void free_anyway(size_t addr)
{
    bool in_heap = addr < DIRECT_END - DIRECT_OFFSET &&
                   pmm_kind(addr + DIRECT_OFFSET) == FRAME_HEAP;
    kprintf("Not allocated by hand; asking %s anyway.\n",
            in_heap ? "kfree" : "pmm_free");
    give_back(in_heap, addr, 1);
}

COMMAND(free, "ID|ADDRESS|all", "gives back what alloc took")
{
    size_t id;
    if (argc != 2)
        return false;
    if (strcmp(argv[1], "all") == 0) {
        while (!list_empty(&toys))
            drop(toy_at(toys.next));
        return true;
    }
    if (!command_number(argv[1], &id))
        return false;
    struct toy *toy = find(id);
    if (toy)
        drop(toy);
    else if (id >= PAGE_SIZE)
        free_anyway(id);
    else
        kprintf("Nothing has that number; \"alloc\" lists what there is.\n");
    return true;
}
