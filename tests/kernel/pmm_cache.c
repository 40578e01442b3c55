/* Frames at hand in the kernel: taken and given without the manager, and yet
 * counted, checked and refused as ever. (Junk is off: with it each call goes to
 * the manager.) */
#include "mm/pmm.h"
#include "tests/kernel/support.h"

#include <oct/errno.h>
#include <oct/report.h>

#define MANY 200

TEST(pmm_at_hand)
{
    static paddr_t held[MANY];
    struct frames_stats before, during, after;
    bool junk = pmm_set_junk(false);
    size_t missing = 0, refused = 0;
    pmm_stats(&before);
    for (size_t i = 0; i < MANY; i++)
        missing += !(held[i] = pmm_alloc());
    pmm_stats(&during);
    for (size_t i = 0; i < MANY; i++)
        refused += pmm_free(held[i]) != 0;
    unsigned long reports = report_count();
    int twice = pmm_free(held[MANY - 1]) + pmm_free(held[0]);
    const char *wrong = pmm_check();
    pmm_stats(&after);
    frames_drain(&pmm);
    pmm_set_junk(junk);
    EXPECT(missing == 0 && refused == 0 && !wrong);
    EXPECT(twice == 2 * -EINVAL && report_count() == reports + 2);
    EXPECT(during.free == before.free - MANY && after.free == before.free);
    EXPECT(after.cached > 0);
    pmm_stats(&after);
    EXPECT(after.cached == 0 && after.free == before.free);
}

/* The last owner's frame comes to hand, and not before. */
TEST(pmm_at_hand_shared)
{
    bool junk = pmm_set_junk(false);
    paddr_t pa = pmm_alloc();
    int two = pmm_ref(pa), refused = pmm_free(pa);
    int one = pmm_unref(pa), none = pmm_unref(pa), again = pmm_unref(pa);
    paddr_t next = pmm_alloc();
    pmm_set_junk(junk);
    EXPECT(pa && two == 2 && refused == -EINVAL && one == 1 && none == 0);
    EXPECT(again == -EINVAL && next && pmm_free(next) == 0);
}
