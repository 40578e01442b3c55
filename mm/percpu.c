#include "mm/percpu.h"
#include "mm/early.h"

#include <arch/pte.h>
#include <oct/kview.h>
#include <oct/string.h>

#define PAGE ((size_t)1 << PAGE_SHIFT)

/* A first unit has so much room at least for dynamic data. */
#define ROOM (4 * KiB)

/* The bounds of the section, by the names that linkers give of themselves. What
 * lies there is the initial value of each CPU's copy. */
extern const char __start_percpu[], __stop_percpu[];

/* Makes sure that there is such a section. */
static __attribute__((used)) DEFINE_PER_CPU(unsigned, number);

struct percpu_map percpu_map;

void percpu_init(unsigned cpus)
{
    size_t fixed = (size_t)(__stop_percpu - __start_percpu);
    size_t unit = (size_t)round_up(fixed + ROOM, PAGE);
    assert(cpus > 0);
    paddr_t pa = early_alloc_pages(cpus * (unit >> PAGE_SHIFT));
    percpu_map = (struct percpu_map){
        .cpus = cpus, .unit = unit, .fixed = fixed, .first = phys_to_virt(pa)};
    percpu_map.offset = (uintptr_t)percpu_map.first - (uintptr_t)__start_percpu;
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        memcpy(percpu_map.first + cpu * unit, __start_percpu, fixed);
        *per_cpu_ptr(&number, cpu) = cpu;
    }
}
