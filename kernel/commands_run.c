/* Commands that run what is in the kernel image. */
#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/kbench.h"
#include "kernel/ktest.h"

#include <oct/print.h>

COMMAND(test, "[NAME,...]", "runs the tests whose names begin so")
{
    if (argc > 2)
        return false;
    ktest_run(argv[1]);
    return true;
}

COMMAND(bench, "[NAME,...]", "runs benchmarks: counts per operation")
{
    if (argc > 2)
        return false;
    if (kbench_run(argv[1]) == 0)
        kprintf("There is no such benchmark.\n");
    return true;
}

COMMAND(check, "", "checks the invariants of all that is")
{
    if (argc > 1)
        return false;
    for (size_t i = 0; i < invariant_count; i++) {
        const char *broken = invariants[i].check();
        kprintf("  %-14s %s%s" PLAIN "\n", invariants[i].name,
                broken ? RED : GREEN, broken ? broken : "holds");
    }
    return true;
}
