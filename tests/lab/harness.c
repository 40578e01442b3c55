#include "tests/lab/lab.h"

unsigned long lab_checks;

bool lab_try(const struct lab_test *test, const char *choice, unsigned number)
{
    unsigned long before = lab_checks;
    const char *why = test->run();
    if (!why && lab_checks == before)
        why = "it checked nothing";
    printf("%sok %u - %s%s\n", why ? "not " : "", number, choice, test->name);
    if (why)
        printf("# %s\n", why);
    fflush(stdout);
    return !why;
}

/* xorshift64* */
uint64_t lab_random(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545f4914f6cdd1dull >> 16;
}

static uint64_t word_of(const void *p, size_t size, unsigned owner)
{
    uint64_t seed = (uintptr_t)p ^ (uint64_t)size << 44 ^ (uint64_t)owner << 36;
    return lab_random(&seed);
}

void lab_stamp(void *p, size_t size, unsigned owner)
{
    uint64_t word = word_of(p, size, owner);
    memset(p, (int)word, size);
    memcpy(p, &word, sizeof(word));
    memcpy((char *)p + size - sizeof(word), &word, sizeof(word));
}

bool lab_is_stamped(const void *p, size_t size, unsigned owner)
{
    uint64_t word = word_of(p, size, owner);
    const unsigned char *bytes = p;
    for (size_t i = sizeof(word); i < size - sizeof(word); i++)
        if (bytes[i] != (unsigned char)word)
            return false;
    return memcmp(p, &word, sizeof(word)) == 0 &&
           memcmp(bytes + size - sizeof(word), &word, sizeof(word)) == 0;
}
