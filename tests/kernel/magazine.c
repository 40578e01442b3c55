/* Magazines, racks and depots by themselves: an object is in one place, and a
 * magazine is never lost. After each step all of them are walked, and compared
 * with a list of where each object should be. */
#include "mm/magazine.h"
#include "tests/kernel/support.h"

#include <oct/string.h>

#define RACKS 3
#define CAPACITY 5
#define MAGAZINES 9 /* too few for all objects */
#define OBJECTS 50
#define STEPS 20000

static struct {
    struct magazine magazine;
    struct round room[CAPACITY];
} storage[MAGAZINES];

static struct rack racks[RACKS];
static struct depot depot;
static char objects[OBJECTS], marks[OBJECTS];
static unsigned refused_push, refused_pop; /* nothing had room, or anything */

/* Of an object. */
enum { OUT, IN_DEPOT, IN_RACK }; /* and IN_RACK + 1, for the second rack */

struct census {
    uint8_t place[OBJECTS];
    unsigned twice, strange, magazines;
};

static struct census should; /* but for `place` of what a depot and a rack
                                exchange, which only a walk can tell */

static void start(void)
{
    depot = (struct depot){0};
    should = (struct census){.magazines = MAGAZINES};
    for (size_t i = 0; i < RACKS; i++)
        racks[i] = (struct rack)NO_RACK;
    for (size_t i = 0; i < MAGAZINES; i++) {
        storage[i].magazine = (struct magazine){.capacity = CAPACITY};
        depot_give(&depot, &storage[i].magazine);
    }
}

/* --- walking --- */

static void walk_magazine(struct census *c, const struct magazine *m,
                          uint8_t place)
{
    if (m == &no_magazine)
        return;
    c->magazines++;
    c->strange += m->capacity != CAPACITY || m->count > CAPACITY;
    for (unsigned i = 0; i < m->count; i++) {
        size_t which = (size_t)((const char *)m->round[i].object - objects);
        if (which >= OBJECTS || m->round[i].mark != &marks[which]) {
            c->strange++;
            continue;
        }
        c->twice += c->place[which] != OUT;
        c->place[which] = place;
    }
}

static void walk_depot(struct census *c)
{
    unsigned fulls = 0;
    for (const struct magazine *m = depot.full; m; m = m->next, fulls++) {
        walk_magazine(c, m, IN_DEPOT);
        c->strange += m->count != CAPACITY;
    }
    for (const struct magazine *m = depot.empty; m; m = m->next) {
        walk_magazine(c, m, IN_DEPOT);
        c->strange += m->count != 0;
    }
    c->strange += fulls != depot.fulls;
}

static struct census walk(void)
{
    struct census c = {0};
    for (uint8_t k = 0; k < RACKS; k++) {
        struct magazine *m = rack_unmount(&racks[k]);
        walk_magazine(&c, m, IN_RACK + k);
        rack_mount(&racks[k], m);
        walk_magazine(&c, racks[k].spare, IN_RACK + k);
    }
    walk_depot(&c);
    return c;
}

/* Rack k and the depot may have exchanged objects, nobody else. */
static void compare(struct test_result *result, uint8_t k)
{
    struct census c = walk();
    EXPECT(c.twice == 0 && c.strange == 0 && c.magazines == MAGAZINES);
    for (size_t i = 0; i < OBJECTS; i++) {
        uint8_t was = should.place[i], is = c.place[i];
        EXPECT((was == IN_DEPOT || was == IN_RACK + k) ==
               (is == IN_DEPOT || is == IN_RACK + k));
        EXPECT(was == is || was == IN_DEPOT || is == IN_DEPOT);
    }
    should = c;
}

/* --- steps --- */

static bool has_room(const struct magazine *m)
{
    return m->count < m->capacity;
}

/* Finds room as an allocator does, or there is none. */
static void push(struct test_result *result, uint8_t k, size_t which)
{
    struct rack *r = &racks[k];
    if (r->count == r->capacity) {
        bool can = has_room(r->spare) || depot.empty;
        EXPECT(!rack_push(r, &objects[which], &marks[which]));
        EXPECT(rack_unload(r, &depot) == can);
        CALL(compare, k);
        refused_push += !can;
        if (!can)
            return;
    }
    EXPECT(rack_push(r, &objects[which], &marks[which]));
    should.place[which] = IN_RACK + k;
}

static void pop(struct test_result *result, uint8_t k)
{
    struct rack *r = &racks[k];
    if (r->count == 0) {
        bool can = r->spare->count > 0 || depot.full;
        EXPECT(!rack_pop(r));
        EXPECT(rack_load(r, &depot) == can);
        CALL(compare, k);
        refused_pop += !can;
        if (!can)
            return;
    }
    const struct round *round = rack_pop(r);
    EXPECT(round);
    size_t which = (size_t)((char *)round->object - objects);
    EXPECT(which < OBJECTS && should.place[which] == IN_RACK + k);
    EXPECT(round->mark == &marks[which]);
    should.place[which] = OUT;
}

/* As an allocator does that wants objects back: a full magazine is emptied. */
static void empty_one(struct test_result *result)
{
    struct magazine *m = depot_take_full(&depot);
    EXPECT(!m || m->count == CAPACITY);
    if (!m)
        return;
    for (unsigned i = 0; i < m->count; i++)
        should.place[(char *)m->round[i].object - objects] = OUT;
    m->count = 0;
    depot_give(&depot, m);
}

/* Of four steps, so many take. */
static void step(struct test_result *result, struct random *r, uint32_t pops)
{
    uint8_t k = (uint8_t)random_below(r, RACKS);
    size_t which = random_below(r, OBJECTS);
    if (random_below(r, 100) == 0)
        CALL(empty_one);
    else if (random_below(r, 4) < pops)
        CALL(pop, k);
    else if (should.place[which] == OUT)
        CALL(push, k, which);
    CALL(compare, k);
}

TEST(magazine_model)
{
    struct random r = random_start(91);
    start();
    for (unsigned i = 0; i < STEPS; i++)
        CALL(step, &r, i / 400 % 2 ? 3 : 1);
    EXPECT(refused_push > 0 && refused_pop > 0);
}

/* What was given last comes first, through any number of magazines: a depot
 * serves others between. */
TEST(magazine_is_a_stack)
{
    start();
    for (size_t i = 0; i < OBJECTS; i++)
        CALL(push, 0, i);
    EXPECT(depot.fulls == MAGAZINES - 2 && should.place[OBJECTS - 1] == OUT);
    for (size_t i = MAGAZINES * CAPACITY; i-- > 0;) {
        EXPECT(racks[0].count > 0 || rack_load(&racks[0], &depot));
        EXPECT(rack_pop(&racks[0])->object == &objects[i]);
    }
    EXPECT(!rack_load(&racks[0], &depot) && depot.fulls == 0);
}

/* What one rack gives up, another gets; without magazines there is nothing. */
TEST(magazine_from_rack_to_rack)
{
    start();
    for (size_t i = 0; i < 3 * CAPACITY; i++)
        CALL(push, 0, i);
    EXPECT(depot.fulls == 1 && rack_load(&racks[1], &depot));
    EXPECT(racks[1].count == CAPACITY && !rack_load(&racks[2], &depot));
    while (depot_take_empty(&depot))
        ;
    EXPECT(!rack_unload(&racks[0], &depot) && racks[0].count == CAPACITY);
    EXPECT(!rack_push(&racks[2], &objects[40], &marks[40]));
    EXPECT(!rack_unload(&racks[2], &depot));
    EXPECT(no_magazine.count == 0 && no_magazine.capacity == 0);
    EXPECT(!no_magazine.next);
}
