/* Free runs in groups of many words: what is found, what is not, and what is
 * taken first, against a look at each unit. */
#include "mm/freemap.h"
#include "mm/kheap.h"
#include "tests/kernel/support.h"

#define SHIFT 8
#define GROUP ((size_t)1 << SHIFT)
#define UNITS (8 * GROUP)

struct fixture {
    struct freemap map;
    bool free[UNITS]; /* the model */
    size_t unit[UNITS];
};

static struct fixture *begin(void)
{
    size_t bytes = freemap_bytes(UNITS, SHIFT);
    struct fixture *x = kzalloc(sizeof(*x) + bytes, GFP_KERNEL);
    if (x)
        freemap_init(&x->map, x + 1, 0, UNITS, SHIFT);
    return x;
}

static void set(struct fixture *x, size_t first, size_t n, bool free)
{
    if (free)
        freemap_give(&x->map, first, n);
    else
        freemap_take(&x->map, first, n);
    for (size_t i = first; i < first + n; i++)
        x->free[i] = free;
}

/* Units from `first` on that are as `first` is, up to n. */
static size_t alike(const struct fixture *x, size_t first, size_t n)
{
    size_t got = 0;
    while (got < n && first + got < UNITS &&
           x->free[first + got] == x->free[first])
        got++;
    return got;
}

static bool is_run(const struct fixture *x, size_t at, size_t n, size_t align,
                   size_t end)
{
    return at % align == 0 && at + n <= end && x->free[at] &&
           alike(x, at, n) == n;
}

static bool has_run(const struct fixture *x, size_t n, size_t align, size_t end)
{
    for (size_t at = 0; at + n <= end; at += align)
        if (is_run(x, at, n, align, end))
            return true;
    return false;
}

/* True if what is found is what was asked for, or there is no such thing. */
static bool finds(struct fixture *x, size_t n, size_t align, size_t end)
{
    size_t at = freemap_find(&x->map, n, align, end);
    return at == FREEMAP_NONE ? !has_run(x, n, align, end)
                              : is_run(x, at, n, align, end);
}

static size_t random_length(struct random *r)
{
    static const uint32_t most[] = {4, 70, GROUP + 8, 3 * GROUP};
    return 1 + random_below(r, most[random_below(r, ARRAY_SIZE(most))]);
}

/* Gives and takes runs, more and more of the one or of the other. */
TEST(freemap_long_groups)
{
    struct random r = random_start(21);
    struct fixture *x = begin();
    EXPECT(x);
    for (uint32_t step = 0; step < 3000; step++) {
        size_t first = random_below(&r, UNITS), n = random_length(&r);
        bool give = random_below(&r, 1000) < 300 + step % 700;
        if (x->free[first] != give)
            set(x, first, alike(x, first, n), give);
        n = random_length(&r);
        size_t align = (size_t)1 << (random_below(&r, 3) * random_below(&r, 4));
        size_t end = random_below(&r, 4) ? UNITS : random_below(&r, UNITS + 1);
        EXPECT(finds(x, n, align, end) && finds(x, n, 1, UNITS));
        EXPECT(step % 16 || freemap_check(&x->map) == NULL);
    }
    kfree(x);
}

TEST(freemap_across_borders)
{
    struct fixture *x = begin();
    EXPECT(x);
    set(x, GROUP - 5, 10, true);
    set(x, 4 * GROUP - 200, GROUP + 300, true);
    EXPECT(finds(x, 10, 1, UNITS) && finds(x, GROUP + 300, 1, UNITS));
    EXPECT(freemap_find(&x->map, GROUP + 301, 1, UNITS) == FREEMAP_NONE);
    EXPECT(freemap_find(&x->map, GROUP + 301, 1, UNITS) == FREEMAP_NONE);
    set(x, 5 * GROUP + 100, 1, true);
    EXPECT(finds(x, GROUP + 301, 1, UNITS));
    set(x, 4 * GROUP, GROUP, false);
    EXPECT(freemap_find(&x->map, 201, 1, UNITS) == FREEMAP_NONE);
    EXPECT(freemap_find(&x->map, 10, 1, 2 * GROUP) == GROUP - 5);
    EXPECT(freemap_check(&x->map) == NULL);
    kfree(x);
}

/* Single units: each once, all there are, and one group after the other. */
TEST(freemap_take_some)
{
    struct random r = random_start(22);
    struct fixture *x = begin();
    size_t total = 0, got = 0;
    EXPECT(x);
    for (size_t i = 0; i < UNITS; i++)
        if (i / GROUP == 3 || random_below(&r, 8) == 0)
            set(x, i, 1, ++total);
    while (got < total) {
        size_t want = 1 + random_below(&r, 40);
        size_t n = freemap_take_some(&x->map, want, x->unit);
        EXPECT(n == min_size(want, total - got));
        for (size_t i = 0; i < n; i++, x->free[x->unit[i - 1]] = false)
            EXPECT(x->free[x->unit[i]]);
        got += n;
        EXPECT(total - got < GROUP || x->map.group_free[3] == GROUP);
        EXPECT(freemap_check(&x->map) == NULL);
    }
    EXPECT(freemap_take_some(&x->map, 1, x->unit) == 0);
    kfree(x);
}
