/* Heap debugging: what it promises to notice is done here, and nothing else is
 * noticed. */
#include "mm/kdebug.h"
#include "mm/kheap.h"
#include "mm/pmm.h"
#include "tests/kernel/support.h"

#include <oct/report.h>
#include <oct/string.h>

static unsigned before; /* what was on when the test began */

static bool on(unsigned flags)
{
    before = kdebug_flags();
    return kdebug_set(flags) == 0 && kdebug_flags() == flags;
}

static bool off(void)
{
    return kdebug_set(before) == 0;
}

/* Reports that `fn(p)` makes. */
static unsigned long reports_of(void (*fn)(void *), void *p)
{
    unsigned long reports = report_count();
    fn(p);
    return report_count() - reports;
}

static void free_it(void *p)
{
    kfree(p);
}

static void drain(void *unused)
{
    (void)unused;
    kdebug_drain();
}

static unsigned long damaged(void)
{
    struct kdebug_stats s;
    kdebug_stats(&s);
    return s.damaged;
}

static size_t quarantined(void)
{
    struct kdebug_stats s;
    kdebug_stats(&s);
    return s.quarantined;
}

static bool filled(const void *p, size_t n, uint8_t byte)
{
    const uint8_t *bytes = p;
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != byte)
            return false;
    return true;
}

static size_t live_bytes(void)
{
    struct kheap_stats s;
    kheap_stats(&s);
    return s.live;
}

struct wanted {
    const void *p;
    struct kdebug_object found;
    unsigned times;
};

static void compare(void *context, const struct kdebug_object *o)
{
    struct wanted *w = context;
    if (o->p == w->p) {
        w->found = *o;
        w->times++;
    }
}

static struct wanted look_up(const void *p)
{
    struct wanted w = {.p = p};
    kdebug_each(compare, &w);
    return w;
}

TEST(kdebug_off_costs_nothing)
{
    EXPECT(on(0));
    size_t live = live_bytes();
    void *p[16];
    for (size_t i = 0; i < ARRAY_SIZE(p); i++)
        EXPECT((p[i] = kmalloc(64, GFP_KERNEL)));
    EXPECT(live_bytes() == live + 64 * ARRAY_SIZE(p));
    EXPECT(ksize(p[0]) == 64);
    for (size_t i = 0; i < ARRAY_SIZE(p); i++)
        kfree(p[i]);
    EXPECT(quarantined() == 0);
    EXPECT(off());
}

TEST(kdebug_alignment_and_size)
{
    EXPECT(on(KDEBUG_ALL));
    unsigned long reports = report_count();
    for (size_t size = 0; size <= 9000;
         size = size < 70 ? size + 1 : size * 2) {
        for (size_t n = size - (size > 0); n <= size + 1; n++) {
            char *p = kmalloc(n, GFP_KERNEL);
            EXPECT(p && ksize(p) == n);
            bool natural = is_power_of_two(n) && n <= PAGE_SIZE;
            EXPECT(is_aligned((uintptr_t)p, natural && n > 32 ? n : 32));
            EXPECT(filled(p, n, KDEBUG_FRESH));
            memset(p, 0x11, n);
            kfree(p);
        }
    }
    EXPECT(report_count() == reports && !kheap_check());
    EXPECT(off());
}

/* One byte too many, at sizes that do and do not fill their room. */
TEST(kdebug_overrun)
{
    static const size_t sizes[] = {0, 1, 31, 32, 33, 64, 100, 4096, 5000};
    EXPECT(on(KDEBUG_REDZONE | KDEBUG_OWNER));
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        unsigned long found = damaged();
        char *p = kmalloc(sizes[i], GFP_KERNEL);
        EXPECT(p && !kheap_check());
        p[sizes[i]] = 1;
        EXPECT(kheap_check() != NULL);
        EXPECT(reports_of(free_it, p) == 2); /* what, and who allocated */
        EXPECT(damaged() == found + 1 && !kheap_check());
    }
    EXPECT(off());
}

/* So far that the record is gone: noticed, freed, and nothing worse. */
TEST(kdebug_overrun_far)
{
    EXPECT(on(KDEBUG_ALL));
    char *p = kmalloc(100, GFP_KERNEL);
    EXPECT(p);
    memset(p, 0, look_up(p).found.room - 8);
    EXPECT(kheap_check() != NULL);
    EXPECT(reports_of(free_it, p) == 1);
    kdebug_drain();
    EXPECT(!kheap_check());
    EXPECT(off());
}

TEST(kdebug_underrun)
{
    EXPECT(on(KDEBUG_REDZONE));
    kheap_trim();
    char *a = kmalloc(96, GFP_KERNEL), *b = kmalloc(96, GFP_KERNEL);
    EXPECT(a && b);
    char *low = a < b ? a : b, *high = a < b ? b : a;
    EXPECT((size_t)(high - low) <= 256); /* neighbours, on an empty heap */
    high[-1] = 1;
    EXPECT(kheap_check() != NULL);
    EXPECT(reports_of(free_it, high) == 0);
    EXPECT(reports_of(free_it, low) == 2);
    EXPECT(off());
}

TEST(kdebug_write_after_free)
{
    EXPECT(on(KDEBUG_ALL));
    char *p = kmalloc(200, GFP_KERNEL);
    EXPECT(p && reports_of(free_it, p) == 0);
    EXPECT(filled(p, 200, KDEBUG_FREED) && quarantined() == 1);
    EXPECT(reports_of(drain, NULL) == 0);
    EXPECT((p = kmalloc(200, GFP_KERNEL)));
    kfree(p);
    p[150] = 1;
    EXPECT(kheap_check() != NULL);
    EXPECT(reports_of(drain, NULL) == 3); /* what, allocated, freed */
    EXPECT(quarantined() == 0 && !kheap_check());
    EXPECT(off());
}

TEST(kdebug_double_free)
{
    EXPECT(on(KDEBUG_QUARANTINE | KDEBUG_OWNER));
    char *p = kmalloc(48, GFP_KERNEL);
    EXPECT(p && reports_of(free_it, p) == 0);
    EXPECT(ksize(p) == 0);
    EXPECT(reports_of(free_it, p) == 4); /* both places, and the refusal */
    EXPECT(!krealloc(p, 10, GFP_KERNEL));
    EXPECT(quarantined() == 1 && !kheap_check());
    EXPECT(off());
    EXPECT(quarantined() == 0);
}

/* Those freed last stay, within the budget. */
TEST(kdebug_quarantine_is_a_queue)
{
    struct kdebug_stats s;
    EXPECT(on(KDEBUG_QUARANTINE));
    char *first = kmalloc(100, GFP_KERNEL);
    kfree(first);
    for (unsigned i = 0; i < 400; i++) {
        char *p = kmalloc(3000, GFP_KERNEL);
        EXPECT(p && (p != first || i > 50));
        kfree(p);
        kdebug_stats(&s);
        EXPECT(s.quarantined_bytes <= KDEBUG_BUDGET);
    }
    EXPECT(s.quarantined_bytes > KDEBUG_BUDGET - 4096);
    char *large = kmalloc(KDEBUG_BUDGET, GFP_KERNEL);
    EXPECT(large);
    kfree(large); /* larger than the budget: it does not drive others out */
    EXPECT(quarantined() == s.quarantined && !kheap_check());
    EXPECT(off());
}

TEST(kdebug_quarantine_under_pressure)
{
    EXPECT(on(KDEBUG_QUARANTINE));
    kheap_trim();
    size_t frames = frames_left();
    for (unsigned i = 0; i < 50; i++)
        kfree(kmalloc(4000, GFP_KERNEL));
    EXPECT(quarantined() > 0 && frames_left() < frames - 40);
    EXPECT(pmm_reclaim() > 40);
    EXPECT(quarantined() == 0);
    for (unsigned i = 0; i < 50; i++)
        kfree(kmalloc(4000, GFP_KERNEL));
    kheap_trim();
    EXPECT(quarantined() == 0 && frames_left() == frames);
    EXPECT(off());
}

/* --- owners --- */

__attribute__((noinline)) static char *allocate_here(size_t size)
{
    char *p = kmalloc(size, GFP_KERNEL);
    if (p)
        *p = 0; /* after the call: it is not the last thing done */
    return p;
}

TEST(kdebug_owner)
{
    EXPECT(on(KDEBUG_OWNER));
    char *a = allocate_here(10), *b = allocate_here(20);
    EXPECT(a && b);
    struct wanted wa = look_up(a), wb = look_up(b);
    EXPECT(wa.times == 1 && wa.found.size == 10 && wa.found.recorded);
    EXPECT(wb.times == 1 && wb.found.size == 20);
    EXPECT(wa.found.allocated_by == wb.found.allocated_by);
    EXPECT(wa.found.allocated_by - (vaddr_t)allocate_here < 256);
    EXPECT(wa.found.sequence + 1 == wb.found.sequence);
    EXPECT((b = krealloc(b, 2000, GFP_KERNEL)));
    EXPECT(look_up(b).found.size == 2000);
    EXPECT(look_up(b).found.allocated_by != wa.found.allocated_by);
    kfree(a);
    EXPECT(look_up(a).times == 0);
    kfree(b);
    EXPECT(off());
}

TEST(kdebug_realloc)
{
    EXPECT(on(KDEBUG_ALL));
    char *p = kmalloc(300, GFP_KERNEL);
    EXPECT(p);
    stamp(p, 40, 3);
    char *q = krealloc(p, 40, GFP_KERNEL);
    EXPECT(q == p && ksize(q) == 40 && stamped(q, 40, 3));
    q[40] = 1;
    EXPECT(kheap_check() != NULL);
    q = krealloc(q, 60, GFP_KERNEL | __GFP_ZERO);
    EXPECT(q && !kheap_check() && ksize(q) == 60 && stamped(q, 40, 3));
    EXPECT(filled(q + 40, 20, 0));
    char kept[40];
    memcpy(kept, q, 40);
    p = krealloc(q, 3000, GFP_KERNEL);
    EXPECT(p && p != q && !memcmp(p, kept, 40) && quarantined() == 1);
    EXPECT(!krealloc(p, (size_t)-1, __GFP_NOWARN) && ksize(p) == 3000);
    for (size_t size = 64; size <= PAGE_SIZE; size *= 2)
        EXPECT((p = krealloc(p, size, 0)) && is_aligned((uintptr_t)p, size));
    EXPECT(krealloc(p, 0, GFP_KERNEL) == NULL);
    EXPECT(off());
}

TEST(kdebug_sensitive)
{
    EXPECT(on(KDEBUG_QUARANTINE));
    char *p = kstrdup("a secret", GFP_KERNEL);
    EXPECT(p);
    kfree_sensitive(p);
    EXPECT(filled(p, 9, 0) && quarantined() == 1);
    EXPECT(off());
}

/* Objects from before and after a switch live side by side. */
TEST(kdebug_switching)
{
    struct kdebug_stats s;
    char *plain[5], *recorded[5];
    EXPECT(on(0));
    for (size_t i = 0; i < 5; i++)
        EXPECT((plain[i] = kmalloc(64, GFP_KERNEL)));
    EXPECT(kdebug_set(KDEBUG_ALL) == 0);
    for (size_t i = 0; i < 5; i++)
        EXPECT((recorded[i] = kmalloc(64, GFP_KERNEL)));
    kdebug_stats(&s);
    EXPECT(s.others >= 5 && ksize(plain[0]) == 64 && !kheap_check());
    kfree(plain[0]);
    kfree(recorded[0]);
    EXPECT(kdebug_set(KDEBUG_REDZONE) == 0);
    EXPECT(ksize(plain[1]) == 64 && ksize(recorded[1]) == 64);
    EXPECT(kdebug_set(0) == 0);
    kdebug_stats(&s);
    EXPECT(s.others >= 4);
    recorded[4][64] = 1;
    EXPECT(kheap_check() != NULL);
    EXPECT(reports_of(free_it, recorded[4]) == 2);
    for (size_t i = 1; i < 5; i++)
        kfree(plain[i]);
    for (size_t i = 1; i < 4; i++)
        EXPECT(reports_of(free_it, recorded[i]) == 0);
    EXPECT(!kheap_check());
    EXPECT(off());
}

TEST(kdebug_switching_without_memory)
{
    EXPECT(on(0));
    char *p = kmalloc(64, GFP_KERNEL);
    EXPECT(p);
    pmm_fail_after(0);
    EXPECT(kdebug_set(KDEBUG_ALL) < 0 && kdebug_flags() == 0);
    pmm_fail_after(-1);
    kfree(p);
    EXPECT(!kheap_check());
    EXPECT(off());
}

TEST(kdebug_words)
{
    unsigned long reports = report_count();
    EXPECT(kdebug_parse("all") == KDEBUG_ALL);
    EXPECT(kdebug_parse("owner,redzone test=x") ==
           (KDEBUG_OWNER | KDEBUG_REDZONE));
    EXPECT(kdebug_parse(",poison,") == KDEBUG_POISON);
    EXPECT(kdebug_parse("") == 0 && report_count() == reports);
    EXPECT(kdebug_parse("red,quarantine") == KDEBUG_QUARANTINE);
    EXPECT(report_count() == reports + 1);
}
