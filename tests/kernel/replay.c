/* Replays: the contents of objects stay as they are, or it is noticed. */
#include "mm/kheap.h"
#include "tests/kernel/support.h"

#include <oct/replay.h>
#include <oct/string.h>
#include <oct/tracer.h>

#define OBJECTS 100
#define ENTRIES 256
#define ROOM (16 * KiB)

static uint8_t bytes[1024];
static size_t used;

static void put(void *context, const void *from, size_t n)
{
    (void)context;
    if (n <= sizeof(bytes) - used)
        memcpy(bytes + used, from, n);
    used += n;
}

static const void *address(unsigned object, unsigned version)
{
    return (const void *)(uintptr_t)(0x1000 + 32 * object + 16 * version);
}

/* Memory that is handed out and never taken back. */
static struct {
    _Alignas(64) char memory[ROOM];
    size_t next;
    size_t skew;       /* bytes that objects are misaligned by */
    size_t overlap;    /* bytes that objects share with the one before */
    unsigned fail_one; /* of so many, or 0 */
    unsigned calls;
    bool scribbles;  /* changes a byte of the object before, */
    size_t last, at; /* which is here, and the byte there */
} arena;

static void *arena_alloc(uint64_t size, uint64_t align)
{
    size_t at = (size_t)round_up(arena.next, align ? align : 1) + arena.skew;
    if (at > ROOM || size > ROOM - at ||
        (arena.fail_one && ++arena.calls % arena.fail_one == 0))
        return NULL;
    arena.next = at + (size_t)size;
    arena.next -= min_size(arena.overlap, arena.next);
    if (arena.scribbles)
        arena.memory[arena.last + arena.at] ^= 1;
    arena.last = at;
    return arena.memory + at;
}

static void *arena_resize(void *p, uint64_t size)
{
    char *moved = arena_alloc(size, 0);
    size_t left = ROOM - (size_t)((char *)p - arena.memory);
    if (moved)
        memmove(moved, p, min_size(left, (size_t)size));
    return moved;
}

static void arena_free(void *p)
{
    (void)p;
}

static uint64_t arena_taken(void)
{
    return arena.next;
}

static uint64_t ticks(void)
{
    static uint64_t now;
    return now++;
}

static const struct replay_ops arena_ops = {arena_alloc, arena_resize,
                                            arena_free, arena_taken, ticks};

/* Objects of 40 bytes, of which some grow or shrink, and most are freed. */
static void write_plain(void)
{
    static uint64_t table[ENTRIES * 4];
    struct tracer t = {.writer.put = put};
    memset(table, 0, sizeof(table));
    tracer_move(&t, table, ENTRIES);
    used = 0;
    trace_write_header(&t.writer, "plain", 8);
    for (unsigned i = 1; i <= OBJECTS; i++)
        tracer_event(&t, 0, NULL, address(i, 0), 40, i % 10 ? 0 : 64);
    for (unsigned i = 1; i <= OBJECTS; i += 7)
        tracer_event(&t, 0, address(i, 0), address(i, 1), i % 2 ? 48 : 33, 0);
    for (unsigned i = 1; i <= 90; i++)
        tracer_event(&t, 0, address(i, i % 7 == 1), NULL, 0, 0);
    trace_write_end(&t.writer);
}

static const char *replay_plain(size_t overlap, unsigned fail_one,
                                bool thorough, struct replay_report *report)
{
    struct trace_facts facts;
    write_plain();
    const char *wrong = trace_check(bytes, used, &facts);
    if (wrong)
        return wrong;
    size_t n = replay_bytes(&facts);
    char *memory = kmalloc(n, GFP_KERNEL);
    arena.next = 64;
    arena.calls = 0;
    arena.overlap = overlap;
    arena.fail_one = fail_one;
    wrong = memory ? replay(bytes, used, &facts, &arena_ops, thorough, memory,
                            report)
                   : "no memory";
    kfree(memory);
    return wrong;
}

TEST(replay_good)
{
    static struct replay_report r;
    for (int thorough = 0; thorough < 2; thorough++) {
        EXPECT(replay_plain(0, 0, thorough, &r) == NULL);
        EXPECT(r.events == 205 && r.damaged == 0 && r.refused == 0);
        EXPECT(r.peak_live == OBJECTS * 40 + 8 * 8 - 7 * 7);
        EXPECT(r.reading == 1 && r.clock == r.samples);
        EXPECT(r.peak_taken >= r.peak_live);
        EXPECT(r.sample[0].taken == 0 && r.sample[0].step == 0);
        EXPECT(r.samples >= 51 && r.samples <= ARRAY_SIZE(r.sample));
        for (size_t i = 1; i < r.samples; i++)
            EXPECT(r.sample[i].step > r.sample[i - 1].step &&
                   r.sample[i].taken >= r.sample[i - 1].taken);
        EXPECT(r.sample[r.samples - 1].step == 204);
        EXPECT(r.sample[r.samples - 1].live == 9 * 40 + 33 + 48);
    }
}

/* The first byte of an object is the last but one of the object before. */
TEST(replay_finds_overlap)
{
    static struct replay_report r;
    for (int thorough = 0; thorough < 2; thorough++) {
        EXPECT(replay_plain(2, 0, thorough, &r) == NULL);
        EXPECT(r.damaged > 50);
        EXPECT(r.damaged_at > 100 && r.damaged_at <= 116);
    }
    /* Bytes in the middle are looked at if it is thorough. */
    EXPECT(replay_plain(20, 0, true, &r) == NULL);
    EXPECT(r.damaged > 50);
}

TEST(replay_finds_any_byte)
{
    static struct replay_report r;
    for (size_t at = 0; at < 33; at++) {
        arena.scribbles = true;
        arena.at = at;
        const char *wrong = replay_plain(0, 0, true, &r);
        arena.scribbles = false;
        EXPECT(!wrong && r.damaged > 80);
    }
}

TEST(replay_finds_misaligned)
{
    static struct replay_report r;
    arena.skew = 32;
    const char *wrong = replay_plain(0, 0, true, &r);
    arena.skew = 0;
    EXPECT(!wrong && r.damaged == OBJECTS / 10 && r.damaged_at == 10);
}

TEST(replay_goes_on_without_memory)
{
    static struct replay_report r;
    EXPECT(replay_plain(0, 5, true, &r) == NULL);
    EXPECT(r.damaged == 0 && r.refused >= 20 && r.refused < 60);
}
