#include "kernel/demo.h"
#include "kernel/command.h"

#include <oct/string.h>

static const struct demo *const demos[] = {
    &demo_entry_cache, &demo_entry_vmalloc, &demo_entry_percpu};

COMMAND(demo, "cache|vmalloc|percpu", "shows an allocator at work")
{
    for (size_t i = 0; i < ARRAY_SIZE(demos) && argc == 2; i++)
        if (strcmp(argv[1], demos[i]->name) == 0) {
            demos[i]->run();
            return true;
        }
    return false;
}
