/* Data of which each CPU has a copy of its own: counters and caches that are
 * changed often, without locks and without cache lines that wander.
 *
 *   static DEFINE_PER_CPU(unsigned long, hits);
 *   this_cpu_inc(hits);
 *   total += *per_cpu_ptr(&hits, cpu);
 *
 * A handle, such as &hits or what alloc_percpu returns, is a pointer that is
 * never dereferenced: per_cpu_ptr makes a CPU's own address of it. Every CPU
 * has a unit of memory, all units lie in a row, and a handle means the same
 * offset in each; so that is an addition, for static and for dynamic data:
 *
 *   &hits     in the image: the initial value, which nobody changes
 *             |  + percpu_map.offset
 *             v
 *   +--------------+--------------+--------------+
 *   | unit of CPU 0| unit of CPU 1| unit of CPU 2|
 *   +--------------+--------------+--------------+
 */
#pragma once

#include <oct/arch.h>
#include <oct/assert.h>
#include <oct/types.h>

/* May stand behind `static`. The type may be an array. */
#define DEFINE_PER_CPU(type, name)                                             \
    __attribute__((section("percpu"))) __typeof__(type) name
#define DECLARE_PER_CPU(type, name) extern DEFINE_PER_CPU(type, name)

/* Set by percpu_init; constant from then on. */
struct percpu_map {
    unsigned cpus;    /* numbered from 0 */
    size_t unit;      /* bytes of a unit: whole pages */
    size_t fixed;     /* of them, static data: where the first unit begins */
    uintptr_t offset; /* from a handle to CPU 0's copy */
    char *first;      /* CPU 0's first unit */
};
extern struct percpu_map percpu_map;

/* Gives each of `cpus` CPUs a copy of the static data, with memory of the early
 * allocator: before pmm_init, which ends that. Panics if there is no memory. */
void percpu_init(unsigned cpus);

static inline void *percpu_address(uintptr_t handle, unsigned cpu)
{
    assert(cpu < percpu_map.cpus);
    return (void *)(handle + percpu_map.offset + cpu * percpu_map.unit);
}

/* The copy of a CPU, of this CPU: a plain pointer of p's type. This CPU's is
 * good as long as the code stays on it. */
#define per_cpu_ptr(p, cpu)                                                    \
    ((__typeof__(p))percpu_address((uintptr_t)(p), (cpu)))
#define this_cpu_ptr(p) per_cpu_ptr(p, arch_cpu_id())

/* This CPU's copy of a variable, such as `hits` or `p->hits` for a handle p.
 * Each is one step to the interrupts of this CPU; `value` is found before. */
#define this_cpu_read(variable)                                                \
    ({                                                                         \
        unsigned long was_ = arch_irq_save();                                  \
        __typeof__(variable) read_ = *this_cpu_ptr(&(variable));               \
        arch_irq_restore(was_);                                                \
        read_;                                                                 \
    })
#define this_cpu_write(variable, value)                                        \
    do {                                                                       \
        __typeof__(variable) value_ = (value);                                 \
        unsigned long irq_ = arch_irq_save();                                  \
        *this_cpu_ptr(&(variable)) = value_;                                   \
        arch_irq_restore(irq_);                                                \
    } while (0)
#define this_cpu_add(variable, value)                                          \
    do {                                                                       \
        __typeof__(variable) value_ = (value);                                 \
        unsigned long irq_ = arch_irq_save();                                  \
        *this_cpu_ptr(&(variable)) += value_;                                  \
        arch_irq_restore(irq_);                                                \
    } while (0)
#define this_cpu_inc(variable) this_cpu_add(variable, 1)
#define this_cpu_dec(variable) this_cpu_add(variable, -1)

/* --- dynamic data: percpu_alloc.c, once the frame manager runs --- */

/* A handle for `size` bytes on every CPU, zeroed, at a multiple of `align`
 * bytes (a power of two, at most a page). NULL, with a report, if there is no
 * memory, if size is 0, or if it is more than half a unit. May wait. */
MUST_CHECK void *__alloc_percpu(size_t size, size_t align);

#define alloc_percpu(type)                                                     \
    ((type *)__alloc_percpu(sizeof(type), _Alignof(type)))

/* NULL is nothing. Whatever is no handle of live dynamic data (freed already,
 * inside of one, static) is reported and changes nothing. */
void free_percpu(const void *handle);

struct percpu_stats {
    size_t chunks; /* rows of units, the first with the static data included */
    size_t used;   /* bytes of live dynamic data, each CPU's */
    size_t free;   /* bytes that it may still take, without another chunk */
};

void percpu_stats(struct percpu_stats *out);

/* NULL if every invariant holds, else which does not. */
const char *percpu_check(void);
