#include "mm/kheap_blocks.h"

#include <oct/assert.h>

#define TAGS_IN_WORD sizeof(unsigned long)

typedef unsigned long __attribute__((may_alias)) tag_word;

static bool is_word_start(const uint8_t *tag)
{
    return (uintptr_t)tag % TAGS_IN_WORD == 0;
}

/* A word at a time where the run is long. */
size_t run_length(const struct block *b, size_t i)
{
    assert(i < block_subblocks(b));
    const uint8_t *start = b->tag + i, *end = b->tag + block_subblocks(b);
    const uint8_t *tag = start;
    while (tag < end && !is_word_start(tag)) {
        if (*tag != *start)
            return (size_t)(tag - start);
        tag++;
    }
    unsigned long same = ~0ul / 0xff * *start;
    while (tag + TAGS_IN_WORD <= end &&
           *(const tag_word *)(const void *)tag == same)
        tag += TAGS_IN_WORD;
    while (tag < end && *tag == *start)
        tag++;
    return (size_t)(tag - start);
}
