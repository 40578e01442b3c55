/* lib/string.c and lib/print.c, in the kernel and on the host. */
#include "kernel/ktest.h"

#include <stdarg.h>

#include <oct/print.h>
#include <oct/string.h>

/* --- memory: every alignment and every length around the word loops --- */

#define OFFSETS 9
#define LENGTHS 80
#define EDGE 16
#define BUFFER (2 * EDGE + OFFSETS + LENGTHS)

static unsigned char first[BUFFER], second[BUFFER];

static unsigned char stamp(size_t i)
{
    return (unsigned char)(i * 7 + 1);
}

static void stamp_all(unsigned char *p)
{
    for (size_t i = 0; i < BUFFER; i++)
        p[i] = stamp(i);
}

/* True if p[from..from+n) is the stamps from `source` on, the rest its own. */
static bool moved_only(const unsigned char *p, size_t to, size_t source,
                       size_t n)
{
    for (size_t i = 0; i < BUFFER; i++)
        if (p[i] != stamp(i >= to && i < to + n ? i - to + source : i))
            return false;
    return true;
}

TEST(string_memcpy)
{
    for (size_t to = EDGE; to < EDGE + OFFSETS; to++)
        for (size_t from = EDGE; from < EDGE + OFFSETS; from++)
            for (size_t n = 0; n < LENGTHS; n++) {
                stamp_all(first);
                stamp_all(second);
                EXPECT(memcpy(first + to, second + from, n) == first + to);
                EXPECT(moved_only(first, to, from, n));
            }
}

TEST(string_memmove_overlapping)
{
    for (size_t to = EDGE; to < EDGE + OFFSETS; to++)
        for (size_t from = EDGE; from < EDGE + OFFSETS; from++)
            for (size_t n = 0; n < LENGTHS; n++) {
                stamp_all(first);
                EXPECT(memmove(first + to, first + from, n) == first + to);
                EXPECT(moved_only(first, to, from, n));
            }
}

static bool set_only(const unsigned char *p, size_t to, int byte, size_t n)
{
    for (size_t i = 0; i < BUFFER; i++)
        if (p[i] != (i >= to && i < to + n ? (unsigned char)byte : stamp(i)))
            return false;
    return true;
}

TEST(string_memset)
{
    for (size_t to = EDGE; to < EDGE + OFFSETS; to++)
        for (size_t n = 0; n < LENGTHS; n++) {
            stamp_all(first);
            EXPECT(memset(first + to, 0x1a5, n) == first + to);
            EXPECT(set_only(first, to, 0xa5, n));
        }
}

TEST(string_memcmp)
{
    for (size_t from = 0; from < OFFSETS; from++)
        for (size_t n = 1; n < LENGTHS; n++) {
            stamp_all(first);
            memcpy(second + 1, first + from, n);
            EXPECT(memcmp(first + from, second + 1, n) == 0);
            second[n]++;
            EXPECT(memcmp(first + from, second + 1, n) < 0);
            EXPECT(memcmp(second + 1, first + from, n) > 0);
            EXPECT(memcmp(first + from, second + 1, n - 1) == 0);
        }
    EXPECT(memcmp("\x01", "\xff", 1) < 0);
}

TEST(string_memchr)
{
    const char *s = "a\0b\xff";
    EXPECT(memchr(s, 'b', 4) == s + 2);
    EXPECT(memchr(s, 0xff, 4) == s + 3);
    EXPECT(memchr(s, 0x100, 4) == s + 1);
    EXPECT(memchr(s, 'b', 2) == NULL);
    EXPECT(memchr(s, 'a', 0) == NULL);
}

/* --- strings --- */

TEST(string_lengths)
{
    EXPECT(strlen("") == 0);
    EXPECT(strlen("four") == 4);
    EXPECT(strnlen("four", 2) == 2);
    EXPECT(strnlen("four", 9) == 4);
    EXPECT(strnlen("four", 0) == 0);
}

TEST(string_comparisons)
{
    EXPECT(strcmp("", "") == 0);
    EXPECT(strcmp("abc", "abd") < 0);
    EXPECT(strcmp("abc", "ab") > 0);
    EXPECT(strcmp("\x01", "\xff") < 0);
    EXPECT(strncmp("abc", "abd", 2) == 0);
    EXPECT(strncmp("abc", "abd", 3) < 0);
    EXPECT(strncmp("ab", "ab", 9) == 0);
    EXPECT(strncmp("a", "b", 0) == 0);
}

TEST(string_strchr)
{
    const char *s = "oct.elf";
    EXPECT(strchr(s, '.') == s + 3);
    EXPECT(strchr(s, '\0') == s + 7);
    EXPECT(strchr(s, 'x') == NULL);
}

TEST(string_strlcpy)
{
    char to[4] = "zzz";
    EXPECT(strlcpy(to, "no", 0) == 2 && to[0] == 'z');
    EXPECT(strlcpy(to, "four", sizeof(to)) == 4 && strcmp(to, "fou") == 0);
    EXPECT(strlcpy(to, "abc", sizeof(to)) == 3 && strcmp(to, "abc") == 0);
    EXPECT(strlcpy(to, "", 1) == 0 && to[0] == '\0' && to[1] == 'b');
}

/* --- numbers --- */

static const struct {
    const char *text;
    bool valid;
    unsigned long long value;
} numbers[] = {
    {"0", true, 0},
    {"4096", true, 4096},
    {"0x1000", true, 0x1000},
    {"0XfF", true, 0xff},
    {"64K", true, 64 * KiB},
    {"0x10M", true, 16 * MiB},
    {"3G", true, 3 * GiB},
    {"007", true, 7},
    {"18446744073709551615", true, ~0ull},
    {"0xffffffffffffffff", true, ~0ull},
    {"18014398509481983K", true, 18014398509481983 * KiB},
    {"18446744073709551616", false, 0},
    {"0x10000000000000000", false, 0},
    {"18014398509481984K", false, 0},
    {"99999999999999999999999", false, 0},
    {"17179869184G", false, 0},
    {"", false, 0},
    {"0x", false, 0},
    {"K", false, 0},
    {"-1", false, 0},
    {" 1", false, 0},
    {"1 ", false, 0},
    {"12a", false, 0},
    {"1KK", false, 0},
    {"1k", false, 0},
    {"0x1g", false, 0},
};

TEST(string_parse_number)
{
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        unsigned long long n = 12345;
        EXPECT(parse_number(numbers[i].text, &n) == numbers[i].valid);
        EXPECT(n == (numbers[i].valid ? numbers[i].value : 12345));
    }
}

/* --- printing --- */

static char printed[64];

/* Not declared PRINTF: some of the formats are odd on purpose. */
static bool prints(const char *expected, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(printed, sizeof(printed), format, args);
    va_end(args);
    return n == (int)strlen(expected) && strcmp(printed, expected) == 0;
}

TEST(print_plain)
{
    EXPECT(prints("", "%s", ""));
    EXPECT(prints("oct", "oct"));
    EXPECT(prints("100%", "%d%%", 100));
    EXPECT(prints("a-b", "%c-%c", 'a', 'b'));
    EXPECT(prints("  x|y  ", "%3c|%-3c", 'x', 'y'));
}

TEST(print_strings)
{
    const char *none = NULL;
    EXPECT(prints("(null)", "%s", none));
    EXPECT(prints("   ab|ab   |", "%5s|%-5s|", "ab", "ab"));
    EXPECT(prints("abc", "%.3s", "abcdef"));
    EXPECT(prints("  ab", "%4.2s", "abcdef"));
    EXPECT(prints("ab  |", "%*.*s|", -4, 2, "abcdef"));
    EXPECT(prints("", "%.0s", "abcdef"));
}

TEST(print_signed)
{
    EXPECT(prints("0 -1 42", "%d %i %d", 0, -1, 42));
    EXPECT(prints("-2147483648", "%d", -2147483647 - 1));
    EXPECT(prints("-9223372036854775808", "%lld", -9223372036854775807ll - 1));
    EXPECT(prints("+5| 5|-5", "%+d|% d|%+d", 5, 5, -5));
    EXPECT(prints("-0042|  -42|-42  |", "%05d|%5d|%-5d|", -42, -42, -42));
    EXPECT(prints("  007|", "%5.3d|", 7));
    EXPECT(prints("  007|", "%05.3d|", 7));
    EXPECT(prints("|", "%.0d|", 0));
    EXPECT(prints("-1 -1", "%hhd %hd", 0x1ff, 0x1ffff));
    EXPECT(prints("-3 4", "%ld %td", -3l, (ptrdiff_t)4));
}

TEST(print_unsigned)
{
    EXPECT(prints("4294967295", "%u", 0xffffffffu));
    EXPECT(prints("18446744073709551615", "%llu", ~0ull));
    EXPECT(prints("10000000000", "%llu", 10000000000ull));
    EXPECT(prints("1777777777777777777777", "%llo", ~0ull));
    EXPECT(prints("255 65535", "%hhu %hu", 0xfffffu, 0xfffffu));
    EXPECT(prints("7 8", "%lu %zu", 7ul, (size_t)8));
}

TEST(print_hexadecimal)
{
    EXPECT(prints("ff FF 0xff 0XFF 0", "%x %X %#x %#X %#x", 255, 255, 255, 255,
                  0));
    EXPECT(prints("0x0000ff", "%#08x", 255));
    EXPECT(prints("ffffffffffffffff", "%llx", ~0ull));
    EXPECT(prints("000123456789", "%012llx", 0x123456789ull));
    EXPECT(prints("010 0", "%#o %#o", 8, 0));
    EXPECT(prints("0x1000", "%p", (void *)0x1000));
    EXPECT(prints("  0x0", "%5p", (void *)0));
}

TEST(print_unknown_conversions)
{
    static const char *const odd[] = {"%y", "%", "a%!b", "%-08.3lly", "%5"};
    for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
        EXPECT(prints(odd[i], odd[i]));
}

TEST(print_cut_short)
{
    char to[6] = "zzzzz";
    EXPECT(snprintf(to, 0, "%d", 12345) == 5 && to[0] == 'z');
    EXPECT(snprintf(NULL, 0, "%s", "1234567") == 7);
    EXPECT(snprintf(to, 1, "abc") == 3 && to[0] == '\0' && to[1] == 'z');
    EXPECT(snprintf(to, 4, "%s%d", "ab", 12345) == 7);
    EXPECT(strcmp(to, "ab1") == 0 && to[4] == 'z');
    EXPECT(snprintf(to, sizeof(to), "%05d", 7) == 5);
    EXPECT(strcmp(to, "00007") == 0);
}

TEST(print_wide_fields)
{
    static char wide[301];
    EXPECT(snprintf(wide, sizeof(wide), "%300d", 7) == 300);
    EXPECT(wide[0] == ' ' && wide[298] == ' ' && wide[299] == '7');
    EXPECT(snprintf(wide, sizeof(wide), "%0*d", 300, -7) == 300);
    EXPECT(wide[0] == '-' && wide[1] == '0' && wide[299] == '7');
    EXPECT(snprintf(wide, sizeof(wide), "%.*x", 300, 7) == 300);
    EXPECT(wide[0] == '0' && wide[299] == '7');
}
