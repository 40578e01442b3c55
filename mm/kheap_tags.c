/* Tags, a word at a time where there are many. */
#include "mm/kheap_blocks.h"

#include <oct/assert.h>

/* Four classes, up to 8 * n subblocks. */
#define OCTAVE(n, class)                                                       \
    [4 * (n) + 1 ... 5 * (n)] = (class),                                       \
                         [5 * (n) + 1 ... 6 * (n)] = (class) + 1,              \
                         [6 * (n) + 1 ... 7 * (n)] = (class) + 2,              \
                         [7 * (n) + 1 ... 8 * (n)] = (class) + 3

const uint8_t class_by_length[CLASS_LONGEST + 1] = {0,
                                                    0,
                                                    1,
                                                    2,
                                                    3,
                                                    4,
                                                    5,
                                                    6,
                                                    7,
                                                    8,
                                                    9,
                                                    10,
                                                    11,
                                                    12,
                                                    13,
                                                    14,
                                                    15,
                                                    OCTAVE(4, 16),
                                                    OCTAVE(8, 20),
                                                    OCTAVE(16, 24),
                                                    OCTAVE(32, 28),
                                                    OCTAVE(64, 32),
                                                    OCTAVE(128, 36)};

#define TAGS_IN_WORD sizeof(unsigned long)

typedef unsigned long __attribute__((may_alias)) tag_word;

static bool is_word_start(const uint8_t *tag)
{
    return (uintptr_t)tag % TAGS_IN_WORD == 0;
}

static unsigned long word_of(uint8_t tag)
{
    return ~0ul / 0xff * tag;
}

static unsigned long load_word(const uint8_t *tag)
{
    return __atomic_load_n((const tag_word *)(const void *)tag,
                           __ATOMIC_RELAXED);
}

void paint(struct block *b, size_t i, size_t n, uint8_t value)
{
    assert(i + n <= block_subblocks(b));
    uint8_t *tag = b->tag + i, *end = tag + n;
    for (; tag < end && !is_word_start(tag); tag++)
        set_tag(tag, value);
    for (; tag + TAGS_IN_WORD <= end; tag += TAGS_IN_WORD)
        __atomic_store_n((tag_word *)(void *)tag, word_of(value),
                         __ATOMIC_RELAXED);
    for (; tag < end; tag++)
        set_tag(tag, value);
}

size_t run_length(const struct block *b, size_t i)
{
    assert(i < block_subblocks(b));
    uint8_t body = tag_at(b, i) & (uint8_t)~TAG_IDLE;
    const uint8_t *start = b->tag + i, *end = b->tag + block_subblocks(b);
    const uint8_t *tag = start + 1;
    for (; tag < end && !is_word_start(tag); tag++)
        if (__atomic_load_n(tag, __ATOMIC_RELAXED) != body)
            return (size_t)(tag - start);
    while (tag + TAGS_IN_WORD <= end && load_word(tag) == word_of(body))
        tag += TAGS_IN_WORD;
    while (tag < end && __atomic_load_n(tag, __ATOMIC_RELAXED) == body)
        tag++;
    return (size_t)(tag - start);
}
