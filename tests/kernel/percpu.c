/* Per-CPU data: every promise of mm/percpu.h. The kernel runs these with the
 * CPUs it has, the host with several. */
#include "mm/percpu.h"
#include "mm/pmm.h"
#include "tests/kernel/support.h"

#include <oct/report.h>
#include <oct/string.h>

struct pair {
    uint8_t small;
    uint64_t large;
};

static DEFINE_PER_CPU(unsigned long, counter) = 42;
static DEFINE_PER_CPU(struct pair, pair) = {1, 2};
static DEFINE_PER_CPU(char[100], text) = "template";
static __attribute__((aligned(64))) DEFINE_PER_CPU(uint8_t, line) = 9;

static size_t used(void)
{
    struct percpu_stats s;
    percpu_stats(&s);
    return s.used;
}

/* Each CPU begins with the initial value, and keeps its own from then on. */
TEST(percpu_static)
{
    for (unsigned cpu = 0; cpu < percpu_map.cpus; cpu++) {
        EXPECT(*per_cpu_ptr(&counter, cpu) == 42);
        EXPECT(per_cpu_ptr(&pair, cpu)->small == 1);
        EXPECT(per_cpu_ptr(&pair, cpu)->large == 2);
        EXPECT(strcmp(*per_cpu_ptr(&text, cpu), "template") == 0);
        EXPECT(*per_cpu_ptr(&line, cpu) == 9);
        EXPECT(is_aligned((uintptr_t)per_cpu_ptr(&line, cpu), 64));
        EXPECT(per_cpu_ptr(&counter, cpu) != &counter);
        *per_cpu_ptr(&counter, cpu) = 100 + cpu;
    }
    for (unsigned cpu = 0; cpu < percpu_map.cpus; cpu++) {
        EXPECT(*per_cpu_ptr(&counter, cpu) == 100 + cpu);
        *per_cpu_ptr(&counter, cpu) = 42;
    }
    EXPECT(*(volatile unsigned long *)&counter == 42);
}

TEST(percpu_this_cpu)
{
    unsigned long *own = this_cpu_ptr(&counter);
    EXPECT(own == per_cpu_ptr(&counter, arch_cpu_id()));
    this_cpu_write(counter, 5);
    this_cpu_inc(counter);
    this_cpu_add(counter, 10);
    this_cpu_dec(counter);
    EXPECT(*own == 15 && this_cpu_read(counter) == 15);
    this_cpu_add(pair.large, 1ull << 40);
    EXPECT(this_cpu_read(pair.large) == (1ull << 40) + 2);
    for (unsigned cpu = 0; cpu < percpu_map.cpus; cpu++)
        if (cpu != arch_cpu_id())
            EXPECT(*per_cpu_ptr(&counter, cpu) == 42);
    this_cpu_write(counter, this_cpu_read(pair.small) + 41);
    this_cpu_write(pair.large, 2);
    EXPECT(*own == 42);
}

TEST(percpu_alloc)
{
    size_t before = used();
    struct pair *p = alloc_percpu(struct pair);
    uint64_t *q = alloc_percpu(uint64_t);
    EXPECT(p && q && used() > before);
    for (unsigned cpu = 0; cpu < percpu_map.cpus; cpu++) {
        EXPECT(per_cpu_ptr(p, cpu)->large == 0 && *per_cpu_ptr(q, cpu) == 0);
        per_cpu_ptr(p, cpu)->large = cpu + 1;
        *per_cpu_ptr(q, cpu) = 1000 + cpu;
    }
    this_cpu_inc(p->large);
    for (unsigned cpu = 0; cpu < percpu_map.cpus; cpu++) {
        bool mine = cpu == arch_cpu_id();
        EXPECT(per_cpu_ptr(p, cpu)->large == cpu + 1 + mine);
        EXPECT(*per_cpu_ptr(q, cpu) == 1000 + cpu);
    }
    free_percpu(p);
    free_percpu(q);
    free_percpu(NULL);
    EXPECT(used() == before && percpu_check() == NULL);
}

TEST(percpu_alignment)
{
    for (size_t align = 1; align <= PAGE_SIZE; align *= 2) {
        char *odd = __alloc_percpu(1, 1), *p = __alloc_percpu(24, align);
        EXPECT(odd && p);
        for (unsigned cpu = 0; cpu < percpu_map.cpus; cpu++)
            EXPECT(is_aligned((uintptr_t)per_cpu_ptr(p, cpu), align));
        EXPECT(percpu_check() == NULL);
        free_percpu(odd);
        free_percpu(p);
    }
    EXPECT(percpu_check() == NULL);
}

/* A freed piece comes back zeroed, on every CPU. */
TEST(percpu_zeroed)
{
    for (unsigned round = 0; round < 3; round++) {
        uint64_t *p = __alloc_percpu(256, 8);
        EXPECT(p);
        for (unsigned cpu = 0; cpu < percpu_map.cpus; cpu++) {
            uint64_t *own = per_cpu_ptr(p, cpu);
            for (size_t i = 0; i < 32; i++)
                EXPECT(own[i] == 0);
            memset(own, 0xee, 256);
        }
        free_percpu(p);
    }
}

static bool refuses(const void *p)
{
    unsigned long reports = report_count();
    size_t bytes = used();
    free_percpu(p);
    return report_count() == reports + 1 && used() == bytes && !percpu_check();
}

TEST(percpu_wrong_frees)
{
    char *p = __alloc_percpu(64, 1);
    EXPECT(p);
    EXPECT(refuses(p + 1) && refuses(p + 16) && refuses(p + 64));
    EXPECT(refuses(&counter) && refuses(this_cpu_ptr(&counter)));
    EXPECT(refuses((void *)1) && refuses((void *)(uintptr_t)-1));
    EXPECT(refuses(p + percpu_map.unit));
    free_percpu(p);
    EXPECT(refuses(p));
}

TEST(percpu_sizes_refused)
{
    static const size_t sizes[] = {0, (size_t)-1, (size_t)-15, 1 << 24};
    unsigned long reports = report_count();
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        EXPECT(!__alloc_percpu(sizes[i], 8));
    EXPECT(!__alloc_percpu(percpu_map.unit / 2 + 1, 8));
    EXPECT(!__alloc_percpu(8, 0) && !__alloc_percpu(8, 24));
    EXPECT(!__alloc_percpu(8, 2 * PAGE_SIZE));
    EXPECT(report_count() == reports + ARRAY_SIZE(sizes) + 4);
    char *p = __alloc_percpu(percpu_map.unit / 2, PAGE_SIZE);
    EXPECT(p);
    free_percpu(p);
}

/* --- many --- */

#define SLOTS 160
#define STEPS 3000

static struct slot {
    char *p;
    size_t size;
} slots[SLOTS];

static bool intact(const struct slot *s, uint32_t owner)
{
    for (unsigned cpu = 0; cpu < percpu_map.cpus; cpu++)
        if (!stamped(per_cpu_ptr(s->p, cpu), s->size, owner * 16 + cpu))
            return false;
    return true;
}

static void mark(const struct slot *s, uint32_t owner)
{
    for (unsigned cpu = 0; cpu < percpu_map.cpus; cpu++)
        stamp(per_cpu_ptr(s->p, cpu), s->size, owner * 16 + cpu);
}

static void step(struct test_result *result, struct random *r)
{
    uint32_t i = random_below(r, SLOTS);
    struct slot *s = &slots[i];
    if (s->p) {
        EXPECT(intact(s, i));
        free_percpu(s->p);
        s->p = NULL;
    } else {
        s->size = 1 + random_below(r, 600);
        s->p = __alloc_percpu(s->size, (size_t)1 << random_below(r, 9));
        EXPECT(s->p);
        mark(s, i);
    }
    EXPECT(percpu_check() == NULL);
}

static void free_slots(struct test_result *result)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (slots[i].p)
            EXPECT(intact(&slots[i], i));
        free_percpu(slots[i].p);
        slots[i].p = NULL;
    }
}

/* Every byte of every CPU has one owner; chunks come and go. */
TEST(percpu_ownership)
{
    struct percpu_stats before, during, after;
    size_t frames = frames_left();
    struct random r = random_start(71);
    percpu_stats(&before);
    for (unsigned n = 0; n < STEPS; n++)
        CALL(step, &r);
    percpu_stats(&during);
    EXPECT(during.chunks > before.chunks && frames_left() < frames);
    CALL(free_slots);
    percpu_stats(&after);
    EXPECT(after.chunks == before.chunks && after.used == before.used);
    EXPECT(frames_left() == frames);
}

/* Without frames there is as much as the chunks have, and no more. */
TEST(percpu_out_of_memory)
{
    size_t n = 0, frames = frames_left();
    pmm_fail_after(0);
    while (n < SLOTS && (slots[n].p = __alloc_percpu(500, 8))) {
        slots[n].size = 500;
        mark(&slots[n], (uint32_t)n);
        n++;
    }
    pmm_fail_after(-1);
    EXPECT(n > 0 && n < SLOTS && percpu_check() == NULL);
    EXPECT(frames_left() == frames);
    slots[n].p = __alloc_percpu(500, 8);
    slots[n].size = 500;
    EXPECT(slots[n].p && frames_left() < frames);
    mark(&slots[n], (uint32_t)n);
    CALL(free_slots);
    EXPECT(frames_left() == frames);
}
