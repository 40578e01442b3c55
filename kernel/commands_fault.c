/* Faults on purpose, to see what the kernel says about them. */
#include "kernel/command.h"
#include "kernel/trap.h"

#include <arch/layout.h>
#include <arch/pte.h>
#include <oct/image.h>
#include <oct/print.h>
#include <oct/prot.h>
#include <oct/string.h>

static void read_there(void *addr)
{
    kprintf("It reads 0x%02x.\n", *(const volatile uint8_t *)addr);
}

static void write_there(void *addr)
{
    *(volatile uint8_t *)addr = 0;
    kprintf("It can be written, and is 0 now.\n");
}

static void execute_there(void *addr)
{
    ((void (*)(void))addr)();
    kprintf("It returned.\n");
}

/* By way of a pointer that may change, so that no compiler sees it never ends;
 * the array makes the frames large and is used after the call. */
static void overflow(void *unused);
static void (*volatile again)(void *) = overflow;

static void overflow(void *unused)
{
    volatile char some[256];
    some[0] = 1;
    again(unused);
    some[1] = some[0];
}

static const struct way {
    const char *name;
    void (*go)(void *);
    void *addr; /* if none is given */
} ways[] = {
    {"read", read_there, (void *)(WINDOW_END - (1ul << PAGE_SHIFT))},
    {"write", write_there, text_start},
    {"exec", execute_there, data_start},
    {"null", read_there, NULL},
    {"stack", overflow, NULL},
};

static const struct way *find(const char *name)
{
    for (size_t i = 0; name && i < ARRAY_SIZE(ways); i++)
        if (strcmp(ways[i].name, name) == 0)
            return &ways[i];
    return NULL;
}

static void go_carefully(const struct way *way, void *addr)
{
    struct trap t;
    if (way->go == overflow)
        kprintf("Without a stack there is nothing to come back to.\n");
    else if (!trap_try(way->go, addr, &t))
        kprintf("Caught: %s\n", trap_text(&t).text);
}

COMMAND(fault, "[try] WAY [ADDRESS]",
        "faults; WAY: read, write, exec, null, stack")
{
    bool careful = argc > 1 && strcmp(argv[1], "try") == 0;
    const struct way *way = argc > 1 ? find(argv[1 + careful]) : NULL;
    size_t addr;
    if (!way || argc > 3 + careful)
        return false;
    const char *word = argv[2 + careful];
    if (word && !command_number(word, &addr))
        return false;
    if (way->go == execute_there && (PT_PROT_ALWAYS & P_EXEC))
        kprintf("All that is mapped can be executed in this format.\n");
    void *there = word ? (void *)addr : way->addr;
    if (careful)
        go_carefully(way, there);
    else
        way->go(there);
    return true;
}
