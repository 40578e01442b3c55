#include <oct/assert.h>
#include <oct/bitset.h>
#include <oct/string.h>

static size_t words_for(size_t bits)
{
    return (bits + WORD_BITS - 1) / WORD_BITS;
}

size_t bitset_bytes(size_t size)
{
    size_t bytes = 0;
    do {
        size = words_for(size);
        bytes += size * sizeof(unsigned long);
    } while (size > 1);
    return bytes;
}

void bitset_init_zeroed(struct bitset *s, void *zeroed, size_t size)
{
    s->size = size;
    s->levels = 0;
    unsigned long *next = zeroed;
    do {
        assert(s->levels < BITSET_LEVELS);
        size = words_for(size);
        s->level[s->levels++] = next;
        next += size;
    } while (size > 1);
}

void bitset_init(struct bitset *s, void *storage, size_t size)
{
    memset(storage, 0, bitset_bytes(size));
    bitset_init_zeroed(s, storage, size);
}

void bitset_fill(struct bitset *s)
{
    size_t size = s->size;
    for (unsigned l = 0; l < s->levels; l++, size = words_for(size)) {
        memset(s->level[l], 0xff, size / WORD_BITS * sizeof(unsigned long));
        if (size % WORD_BITS)
            s->level[l][size / WORD_BITS] = (1ul << size % WORD_BITS) - 1;
    }
}

void bitset_add(struct bitset *s, size_t i)
{
    assert(i < s->size);
    for (unsigned l = 0; l < s->levels; l++, i /= WORD_BITS) {
        unsigned long *word = &s->level[l][i / WORD_BITS];
        unsigned long before = *word;
        *word = before | 1ul << i % WORD_BITS;
        if (before)
            break; /* the levels above know of this word */
    }
}

void bitset_remove(struct bitset *s, size_t i)
{
    assert(i < s->size);
    for (unsigned l = 0; l < s->levels; l++, i /= WORD_BITS) {
        unsigned long *word = &s->level[l][i / WORD_BITS];
        *word &= ~(1ul << i % WORD_BITS);
        if (*word)
            break;
    }
}

bool bitset_has(const struct bitset *s, size_t i)
{
    assert(i < s->size);
    return s->level[0][i / WORD_BITS] >> i % WORD_BITS & 1;
}

/* Climb until a word has something at or after i, then go down its first
 * branch. At each level i is the first number not yet ruled out. */
size_t bitset_next(const struct bitset *s, size_t i)
{
    size_t size = s->size;
    for (unsigned l = 0; l < s->levels; l++) {
        if (i >= size)
            return BITSET_NONE;
        unsigned long rest = s->level[l][i / WORD_BITS] >> i % WORD_BITS;
        if (rest) {
            i += (size_t)__builtin_ctzl(rest);
            while (l-- > 0)
                i = i * WORD_BITS + (size_t)__builtin_ctzl(s->level[l][i]);
            return i;
        }
        i = i / WORD_BITS + 1;
        size = words_for(size);
    }
    return BITSET_NONE;
}

bool bitset_check(const struct bitset *s)
{
    size_t size = words_for(s->size);
    for (unsigned l = 0; l + 1 < s->levels; l++, size = words_for(size))
        for (size_t i = 0; i < size; i++) {
            bool said = s->level[l + 1][i / WORD_BITS] >> i % WORD_BITS & 1;
            if (said != (s->level[l][i] != 0))
                return false;
        }
    return true;
}
