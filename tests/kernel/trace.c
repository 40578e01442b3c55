/* Traces: what is written is read, and nothing else is. */
#include "mm/kheap.h"
#include "tests/kernel/support.h"

#include <oct/string.h>
#include <oct/tracer.h>

#define STEPS 600
#define OBJECTS 64
#define ROOM 8192
#define ENTRIES 256

static uint8_t bytes[ROOM];
static size_t used;
static uint32_t links[STEPS];
static uint64_t table[ENTRIES * 4];

static void put(void *context, const void *from, size_t n)
{
    (void)context;
    if (n <= ROOM - used)
        memcpy(bytes + used, from, n);
    used += n;
}

static void begin(struct tracer *t)
{
    *t = (struct tracer){.writer.put = put};
    memset(table, 0, sizeof(table));
    tracer_move(t, table, ENTRIES);
    used = 0;
    trace_write_header(&t->writer, "a \x7ftest", 8);
}

/* --- what is written is read --- */

struct step {
    struct trace_event event; /* its slot is not used */
    unsigned object;
};

static struct step steps[STEPS];

static const void *address(unsigned object, unsigned version)
{
    return (const void *)(uintptr_t)(0x1000 + 16 * (object * STEPS + version));
}

/* One step for an object that is live at the address of its version, or not if
 * that is 0. */
static void random_step(struct random *r, struct step *s, unsigned *version,
                        struct tracer *t)
{
    struct trace_event *e = &s->event;
    s->object = random_below(r, OBJECTS);
    unsigned *v = &version[s->object];
    const void *old = *v ? address(s->object, *v) : NULL;
    bool frees = *v && random_below(r, 3);
    *e = (struct trace_event){
        .op = !*v     ? TRACE_ALLOC
              : frees ? TRACE_FREE
                      : TRACE_RESIZE,
        .thread = random_below(r, 4) ? 0 : random_below(r, 1000)};
    if (!frees)
        e->size = ~0ull >> random_below(r, 64);
    if (!*v && random_below(r, 4) == 0)
        e->align_log = 1 + random_below(r, 40);
    *v = frees ? 0 : *v + random_below(r, 2) + !*v;
    tracer_event(t, e->thread, old, *v ? address(s->object, *v) : NULL, e->size,
                 e->align_log ? 1ull << e->align_log : 0);
}

static void write_random(uint32_t stream)
{
    struct tracer t;
    struct random r = random_start(stream);
    unsigned version[OBJECTS] = {0};
    begin(&t);
    for (unsigned i = 0; i < STEPS; i++)
        random_step(&r, &steps[i], version, &t);
    trace_write_end(&t.writer);
}

static bool same(const struct trace_event *a, const struct trace_event *b)
{
    return a->op == b->op && a->thread == b->thread && a->size == b->size &&
           a->align_log == b->align_log;
}

static void read_back(struct test_result *result,
                      const struct trace_facts *facts)
{
    struct trace_reader r;
    struct trace_event e;
    uint32_t slot[OBJECTS];
    trace_read(&r, bytes, used, links, facts->slots);
    for (unsigned i = 0; i < STEPS; i++) {
        unsigned object = steps[i].object;
        EXPECT(trace_next(&r, &e));
        EXPECT(same(&e, &steps[i].event));
        EXPECT(e.slot < facts->slots);
        if (e.op == TRACE_ALLOC)
            slot[object] = e.slot;
        EXPECT(e.slot == slot[object]);
    }
    EXPECT(!trace_next(&r, &e) && !r.wrong);
}

static void read_with_little_room(struct test_result *result, uint32_t slots)
{
    struct trace_reader r;
    struct trace_event e;
    trace_read(&r, bytes, used, links, slots);
    while (trace_next(&r, &e))
        EXPECT(e.slot < slots);
    EXPECT(r.wrong);
}

TEST(trace_round_trip)
{
    struct trace_facts facts;
    for (uint32_t stream = 0; stream < 8; stream++) {
        write_random(stream);
        EXPECT(used < ROOM);
        EXPECT(trace_check(bytes, used, &facts) == NULL);
        EXPECT(facts.events == STEPS && facts.slots <= OBJECTS);
        EXPECT(strcmp(facts.name, "a__test") == 0 && facts.word == 8);
        CALL(read_back, &facts);
        CALL(read_with_little_room, facts.slots - 1);
    }
}

TEST(trace_table_grows)
{
    struct tracer t;
    struct trace_facts facts;
    begin(&t);
    size_t entries = 4, n = tracer_bytes(ENTRIES);
    char *memory = kzalloc(2 * n, GFP_KERNEL);
    EXPECT(memory && tracer_entries(n) == ENTRIES);
    tracer_move(&t, memory, entries);
    for (unsigned i = 1; i < ENTRIES / 2; i++) {
        if (tracer_is_full(&t)) {
            entries *= 2;
            char *other = (char *)t.table == memory ? memory + n : memory;
            memset(other, 0, n);
            tracer_move(&t, other, entries);
        }
        tracer_event(&t, 0, NULL, address(i, 0), i, 0);
        if (i % 3 == 0)
            tracer_event(&t, 0, address(i, 0), NULL, 0, 0);
    }
    EXPECT(entries > 64);
    for (unsigned i = 1; i < ENTRIES / 2; i++)
        tracer_event(&t, 0, address(i, 0), NULL, 0, 0);
    kfree(memory);
    trace_write_end(&t.writer);
    EXPECT(trace_check(bytes, used, &facts) == NULL);
    EXPECT(facts.allocs == ENTRIES / 2 - 1 && facts.frees == facts.allocs);
}

/* The address that a resize left is another object's before it is told. */
TEST(trace_address_taken_over)
{
    struct tracer t;
    struct trace_facts facts;
    struct trace_reader r;
    struct trace_event e;
    static const struct trace_event wanted[] = {{TRACE_ALLOC, 0, 0, 10, 0},
                                                {TRACE_ALLOC, 1, 1, 20, 0},
                                                {TRACE_RESIZE, 0, 0, 128, 0},
                                                {TRACE_FREE, 1, 1, 0, 0},
                                                {TRACE_FREE, 0, 0, 0, 0}};
    begin(&t);
    tracer_event(&t, 0, NULL, address(1, 0), 10, 0);
    tracer_event(&t, 1, NULL, address(1, 0), 20, 0);
    tracer_event(&t, 0, address(1, 0), address(2, 0), 128, 0);
    tracer_event(&t, 1, address(1, 0), NULL, 0, 0);
    tracer_event(&t, 1, address(1, 0), NULL, 0, 0); /* unknown by now */
    tracer_event(&t, 0, address(2, 0), NULL, 0, 0);
    trace_write_end(&t.writer);
    EXPECT(trace_check(bytes, used, &facts) == NULL);
    EXPECT(facts.slots == 2 && facts.threads == 2);
    trace_read(&r, bytes, used, links, facts.slots);
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        EXPECT(trace_next(&r, &e));
        EXPECT(same(&e, &wanted[i]) && e.slot == wanted[i].slot);
    }
    EXPECT(!trace_next(&r, &e) && !r.wrong);
}

/* --- nothing else is --- */

TEST(trace_any_byte_changed)
{
    struct trace_facts facts;
    write_random(1);
    for (size_t i = 0; i < used; i++) {
        uint8_t change = (uint8_t)(1 + i % 255);
        bytes[i] ^= change;
        EXPECT(trace_check(bytes, used, &facts) != NULL);
        bytes[i] ^= change;
    }
    EXPECT(trace_check(bytes, used, &facts) == NULL);
}

TEST(trace_cut_anywhere)
{
    struct trace_facts facts;
    write_random(2);
    for (size_t n = 0; n < used; n++)
        EXPECT(trace_check(bytes, n, &facts) != NULL);
}

/* Makes the checksum right: FNV-1a of what is before it. */
static void seal(size_t n)
{
    uint32_t check = 2166136261u;
    for (size_t i = 0; i < n; i++)
        check = (check ^ bytes[i]) * 16777619u;
    for (size_t i = 0; i < 4; i++)
        bytes[n + i] = (uint8_t)(check >> 8 * i);
    used = n + 4;
}

/* Traces whose checksum is right, and nothing else needs to be. */
TEST(trace_forged)
{
    struct trace_facts facts;
    struct trace_reader reader;
    struct trace_event e;
    struct random r = random_start(3);
    unsigned good = 0;
    for (unsigned round = 0; round < 3000; round++) {
        if (round % 100 == 0)
            write_random(round);
        bytes[random_below(&r, (uint32_t)used - 4)] =
            (uint8_t)random_below(&r, 256);
        seal(used - 4 - (random_below(&r, 8) == 0));
        if (trace_check(bytes, used, &facts))
            continue;
        good++;
        EXPECT(facts.slots <= STEPS && facts.events <= used);
        trace_read(&reader, bytes, used, links, facts.slots);
        while (trace_next(&reader, &e))
            EXPECT(e.slot < facts.slots);
    }
    EXPECT(good > 0);
}

/* A header and nothing else, the magic and the checksum being right. */
static const char *header_verdict(unsigned word, unsigned length,
                                  const char *name)
{
    struct trace_facts facts;
    size_t n = strlen(name);
    bytes[TRACE_MAGIC_BYTES] = (uint8_t)word;
    bytes[TRACE_MAGIC_BYTES + 1] = (uint8_t)length;
    memcpy(bytes + TRACE_MAGIC_BYTES + 2, name, n);
    seal(TRACE_MAGIC_BYTES + 2 + n);
    return trace_check(bytes, used, &facts);
}

TEST(trace_headers)
{
    static const struct {
        unsigned word, length;
        const char *name, *verdict;
    } cases[] = {
        {8, 0, "", "has no end"},
        {4, 2, "ab", "has no end"},
        {8, 63,
         "123456781234567812345678123456781234567812345678123456781234567",
         "has no end"},
        {8, 1, "", "cut short"},
        {8, 255, "ab", "cut short"},
        {8, 3, "ab", "cut short"},
        {0, 1, "a", "an impossible header"},
        {5, 1, "a", "an impossible header"},
        {8, 2, "a ", "an impossible header"},
        {8, 2, "a\x7f", "an impossible header"},
        {8, 64,
         "1234567812345678123456781234567812345678123456781234567812345678",
         "an impossible header"},
    };
    write_random(4);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        EXPECT(strcmp(header_verdict(cases[i].word, cases[i].length,
                                     cases[i].name),
                      cases[i].verdict) == 0);
}

/* A whole trace but for its checksum: magic, word, name "t", then `body`. */
static const char *verdict(const uint8_t *body, size_t n)
{
    static const uint8_t header[] = {8, 1, 't'};
    struct trace_facts facts;
    struct trace_reader r;
    struct trace_event e;
    memcpy(bytes, TRACE_MAGIC, TRACE_MAGIC_BYTES);
    memcpy(bytes + TRACE_MAGIC_BYTES, header, sizeof(header));
    memcpy(bytes + TRACE_MAGIC_BYTES + sizeof(header), body, n);
    seal(TRACE_MAGIC_BYTES + sizeof(header) + n);
    const char *wrong = trace_check(bytes, used, &facts);
    if (wrong)
        return wrong;
    trace_read(&r, bytes, used, links, facts.slots);
    while (trace_next(&r, &e))
        continue;
    return r.wrong ? r.wrong : "good";
}

/* First bytes of records: what they are, and their number's low bits. */
#define A(size) (0 | (size) << 2)
#define F(folded) (1 | (folded) << 2)
#define R(folded) (2 | (folded) << 2)
#define M(kind, value) (3 | ((kind) | (value) << 2) << 2)
#define END(n) M(0, n)

TEST(trace_malformed)
{
    static const struct {
        uint8_t body[14];
        size_t n;
        const char *verdict;
    } cases[] = {
        {{END(0)}, 1, "good"},
        {{A(5), F(0), END(2)}, 3, "good"},
        {{A(5), A(5), F(2), F(1), END(4)}, 5, "good"},
        {{A(5), R(0), 0x80, 0x01, END(2)}, 5, "good"},
        {{M(1, 3), M(2, 6), A(1), END(1)}, 4, "good"},
        {{0}, 0, "has no end"},
        {{A(5)}, 1, "has no end"},
        {{A(5) | 0x80, 0x80}, 2, "ends within a number"},
        {{A(5), R(0)}, 2, "ends within a number"},
        {{A(5), END(0)}, 2, "more or fewer events than its end says"},
        {{END(0), END(0)}, 2, "goes on behind its end"},
        {{F(0), END(1)}, 2, "an object that was never allocated"},
        {{A(5), F(1), END(2)}, 3, "an object that was never allocated"},
        {{A(5), F(2), END(2)}, 3, "an object that was never allocated"},
        {{A(5), F(0), F(0), END(3)}, 4, "frees more than it allocates"},
        {{A(5), A(5), F(0), F(0), END(4)}, 5, "an object that is not live"},
        {{A(5), F(0), R(0), 1, END(3)}, 5, "an object that is not live"},
        {{M(2, 6), END(0)}, 2, "an alignment of nothing"},
        {{A(5), M(2, 6), F(0), END(2)}, 4, "an alignment of nothing"},
        {{M(2, 0), A(5), END(1)}, 3, "an impossible alignment"},
        {{0xfb, 0x05, A(5), END(1)}, 4, "good"},
        {{0x8b, 0x06, A(5), END(1)}, 4, "an impossible alignment"},
        {{M(3, 0), END(0)}, 2, "an unknown mark"},
        {{0xf7, 0xff, 0xff, 0x7f, END(0)}, 5, "too many threads"},
        {{0xf7, 0xfe, 0xff, 0x7f, A(1), END(1)}, 6, "good"},
        {{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20},
         10,
         "a number of more than 64 bits"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        EXPECT(strcmp(verdict(cases[i].body, cases[i].n), cases[i].verdict) ==
               0);
}
