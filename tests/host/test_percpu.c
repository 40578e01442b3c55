/* Per-CPU data on a machine of several CPUs: the host's code says which one it
 * is running on, and does not get interrupted. */
#include "env.h"

#include "mm/percpu.h"
#include "tests/kernel/support.h"

#include <arch/irq.h>
#include <arch/layout.h>

#define MACHINE_BYTES (64 * MiB)

static DEFINE_PER_CPU(unsigned, hits) = 3;

/* Each CPU counts for itself, in static and in dynamic data. */
TEST(percpu_host_turns)
{
    host_machine(DIRECT_START, MACHINE_BYTES);
    unsigned *own = alloc_percpu(unsigned);
    EXPECT(own && percpu_map.cpus == 4);
    for (unsigned turn = 0; turn < 100; turn++) {
        host_cpu = turn % 4;
        this_cpu_inc(hits);
        this_cpu_add(*own, host_cpu);
    }
    for (host_cpu = 0; host_cpu < 4; host_cpu++) {
        EXPECT(this_cpu_read(hits) == 3 + 25);
        EXPECT(this_cpu_read(*own) == 25 * host_cpu);
    }
    host_cpu = 0;
    free_percpu(own);
}

/* Takes pieces of half a unit until one lies in a chunk of its own. */
static char *fill_first_chunk(char **kept)
{
    struct percpu_stats s;
    for (;;) {
        char *p = __alloc_percpu(percpu_map.unit / 2, 8);
        percpu_stats(&s);
        if (!p || s.chunks > 1)
            return p;
        *kept++ = p;
    }
}

/* Where a piece's handle would be NULL there is no piece. */
TEST(percpu_host_no_null_handle)
{
    static char *kept[4];
    host_machine(DIRECT_START, MACHINE_BYTES);
    size_t frames = frames_left();
    char *p = fill_first_chunk(kept);
    EXPECT(p);
    uintptr_t before = percpu_map.offset, at = (uintptr_t)per_cpu_ptr(p, 0);
    free_percpu(p);
    percpu_map.offset = at;
    char *q = __alloc_percpu(percpu_map.unit / 2, 8);
    EXPECT(q && (uintptr_t)per_cpu_ptr(q, 0) != at && !percpu_check());
    free_percpu(q);
    EXPECT(frames_left() == frames && percpu_check() == NULL);
    percpu_map.offset = before;
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
        free_percpu(kept[i]);
    EXPECT(percpu_check() == NULL);
}

static void use_fifth(void *unused)
{
    (void)unused;
    *per_cpu_ptr(&hits, 4) = 1;
}

static void start_none(void *unused)
{
    (void)unused;
    percpu_init(0);
}

/* Asking for a CPU that there is not is the programmer's fault. */
TEST(percpu_host_no_such_cpu)
{
    host_machine(DIRECT_START, MACHINE_BYTES);
    EXPECT(host_panic_of(use_fifth, NULL) != NULL);
    EXPECT(host_panic_of(start_none, NULL) != NULL);
}
