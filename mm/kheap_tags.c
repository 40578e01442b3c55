/* Looking through tags, a word at a time where the tags are long. */
#include "mm/kheap_blocks.h"

#define TAGS_IN_WORD sizeof(unsigned long)
#define EVERY_TAG(tag) (~0ul / 0xff * (tag))

typedef unsigned long __attribute__((may_alias)) tag_word;

/* The high bit of the first zero byte, and perhaps bits of bytes above it. */
static unsigned long zero_bytes(unsigned long word)
{
    return (word - EVERY_TAG(0x01)) & ~word & EVERY_TAG(0x80);
}

static bool is_word_start(const uint8_t *tag)
{
    return (uintptr_t)tag % TAGS_IN_WORD == 0;
}

size_t next_free_tag(const struct block *b, size_t i)
{
    const uint8_t *tag = b->tag + i, *end = b->tag + block_subblocks(b);
    while (tag < end && !is_word_start(tag)) {
        if (*tag == TAG_FREE)
            return (size_t)(tag - b->tag);
        tag++;
    }
    for (; tag + TAGS_IN_WORD <= end; tag += TAGS_IN_WORD)
        if (zero_bytes(*(const tag_word *)(const void *)tag))
            break;
    while (tag < end && *tag != TAG_FREE)
        tag++;
    return (size_t)(tag - b->tag);
}

size_t run_length(const struct block *b, size_t i)
{
    const uint8_t *start = b->tag + i, *end = b->tag + block_subblocks(b);
    const uint8_t *tag = start;
    while (tag < end && !is_word_start(tag)) {
        if (*tag != *start)
            return (size_t)(tag - start);
        tag++;
    }
    for (; tag + TAGS_IN_WORD <= end; tag += TAGS_IN_WORD)
        if (*(const tag_word *)(const void *)tag != EVERY_TAG(*start))
            break;
    while (tag < end && *tag == *start)
        tag++;
    return (size_t)(tag - start);
}
