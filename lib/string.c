/* Bytes and strings. The kernel zeroes and copies whole frames through here, so
 * the bulk goes by aligned words, four in a row; only heads and tails go by
 * bytes. A word may alias anything, and one that is not aligned is loaded in
 * whatever way is safe on the machine.
 *
 * The compiler recognises a loop that sets or copies memory and replaces it by
 * a call of memset or memcpy, even inside these two. The empty KEEP_LOOP in a
 * loop's body makes it stay a loop. */
#include <oct/string.h>

typedef unsigned long __attribute__((may_alias)) word_t;

struct loose_word {
    unsigned long value;
} __attribute__((packed, may_alias));

#define WORD sizeof(word_t)
#define BLOCK (4 * WORD)
#define KEEP_LOOP() asm volatile("")

static bool aligned(const void *p)
{
    return (uintptr_t)p % WORD == 0;
}

static size_t bytes_to_alignment(const void *p, size_t n)
{
    return min_size(-(uintptr_t)p % WORD, n);
}

static word_t load(const unsigned char *p)
{
    return ((const struct loose_word *)(const void *)p)->value;
}

static word_t *words(unsigned char *p)
{
    return (word_t *)(void *)p;
}

static const word_t *const_words(const unsigned char *p)
{
    return (const word_t *)(const void *)p;
}

static void copy_bytes(unsigned char *to, const unsigned char *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        KEEP_LOOP();
        to[i] = from[i];
    }
}

/* All words of a block are read before one is written, so that a copy may go
 * to a lower address that overlaps. n is a multiple of WORD, `to` aligned. */
static void copy_aligned(unsigned char *to, const unsigned char *from, size_t n)
{
    for (; n >= BLOCK; n -= BLOCK, to += BLOCK, from += BLOCK) {
        const word_t *f = const_words(from);
        word_t a = f[0], b = f[1], c = f[2], d = f[3], *t = words(to);
        KEEP_LOOP();
        t[0] = a;
        t[1] = b;
        t[2] = c;
        t[3] = d;
    }
    for (; n > 0; n -= WORD, to += WORD, from += WORD) {
        KEEP_LOOP();
        *words(to) = *const_words(from);
    }
}

static void copy_loose(unsigned char *to, const unsigned char *from, size_t n)
{
    for (; n > 0; n -= WORD, to += WORD, from += WORD) {
        KEEP_LOOP();
        *words(to) = load(from);
    }
}

/* Right also when `to` lies below `from` and overlaps it. */
static void copy_up(unsigned char *to, const unsigned char *from, size_t n)
{
    size_t head = bytes_to_alignment(to, n);
    copy_bytes(to, from, head);
    to += head;
    from += head;
    size_t bulk = round_down(n - head, WORD);
    if (aligned(from))
        copy_aligned(to, from, bulk);
    else
        copy_loose(to, from, bulk);
    copy_bytes(to + bulk, from + bulk, n - head - bulk);
}

/* Right also when `to` lies above `from` and overlaps it. */
static void copy_down(unsigned char *to, const unsigned char *from, size_t n)
{
    for (; n > 0 && !aligned(to + n); n--) {
        KEEP_LOOP();
        to[n - 1] = from[n - 1];
    }
    for (; n >= WORD; n -= WORD) {
        KEEP_LOOP();
        *words(to + n - WORD) = load(from + n - WORD);
    }
    for (; n > 0; n--) {
        KEEP_LOOP();
        to[n - 1] = from[n - 1];
    }
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    copy_up(to, from, n);
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    if ((uintptr_t)to - (uintptr_t)from >= n)
        copy_up(to, from, n);
    else
        copy_down(to, from, n);
    return to;
}

static void set_bytes(unsigned char *to, int byte, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        KEEP_LOOP();
        to[i] = (unsigned char)byte;
    }
}

static void set_aligned(word_t *to, word_t value, size_t n)
{
    for (; n >= 4; n -= 4, to += 4) {
        KEEP_LOOP();
        to[0] = value;
        to[1] = value;
        to[2] = value;
        to[3] = value;
    }
    for (; n > 0; n--) {
        KEEP_LOOP();
        *to++ = value;
    }
}

void *memset(void *to, int byte, size_t n)
{
    unsigned char *p = to;
    word_t value = (word_t)-1 / 0xff * (unsigned char)byte;
    size_t head = bytes_to_alignment(p, n);
    size_t bulk = round_down(n - head, WORD);
    set_bytes(p, byte, head);
    set_aligned(words(p + head), value, bulk / WORD);
    set_bytes(p + head + bulk, byte, n - head - bulk);
    return to;
}

static size_t equal_words(const unsigned char *a, const unsigned char *b,
                          size_t n)
{
    size_t done = 0;
    if (!aligned(a) || !aligned(b))
        return 0;
    while (n - done >= WORD && *const_words(a + done) == *const_words(b + done))
        done += WORD;
    return done;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *p = a, *q = b;
    for (size_t i = equal_words(p, q, n); i < n; i++)
        if (p[i] != q[i])
            return p[i] - q[i];
    return 0;
}

void *memchr(const void *p, int byte, size_t n)
{
    for (const char *s = p; n > 0; n--, s++)
        if (*s == (char)byte)
            return (void *)(uintptr_t)s;
    return NULL;
}

size_t strlen(const char *s)
{
    size_t n = 0;
    while (s[n]) {
        KEEP_LOOP();
        n++;
    }
    return n;
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;
    while (n < max && s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n > 0; n--, a++, b++)
        if (*a != *b || !*a)
            return (unsigned char)*a - (unsigned char)*b;
    return 0;
}

char *strchr(const char *s, int c)
{
    while (*s && *s != (char)c)
        s++;
    return *s == (char)c ? (char *)(uintptr_t)s : NULL;
}

size_t strlcpy(char *to, const char *from, size_t size)
{
    size_t length = strlen(from);
    if (size > 0) {
        size_t n = min_size(length, size - 1);
        memcpy(to, from, n);
        to[n] = '\0';
    }
    return length;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20; /* to lower case */
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

static unsigned long long suffix_factor(char c)
{
    switch (c) {
    case 'K':
        return KiB;
    case 'M':
        return MiB;
    case 'G':
        return GiB;
    default:
        return 1;
    }
}

bool parse_number(const char *s, unsigned long long *out)
{
    int base = s[0] == '0' && (s[1] | 0x20) == 'x' ? 16 : 10;
    const char *first = base == 16 ? s + 2 : s;
    unsigned long long n = 0;
    for (s = first; digit_value(*s) < base; s++)
        if (__builtin_mul_overflow(n, (unsigned)base, &n) ||
            __builtin_add_overflow(n, (unsigned)digit_value(*s), &n))
            return false;
    unsigned long long factor = suffix_factor(*s);
    if (s == first || __builtin_mul_overflow(n, factor, &n))
        return false;
    if (s[factor > 1] != '\0')
        return false;
    *out = n;
    return true;
}
