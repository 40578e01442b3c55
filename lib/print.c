/* Formatted output: one engine that hands the text out piece by piece, without
 * a buffer that a long text could overflow. A conversion is first read into a
 * small struct and then carried out, so no step depends on the ones after it.
 */

#include <oct/print.h>
#include <oct/string.h>

/* <limits.h> of a cross compiler asks for a C library's. */
#define INT_MAX __INT_MAX__
#define INT_MIN (-INT_MAX - 1)

struct sink {
    void (*put)(void *context, const char *s, size_t n);
    void *context;
    size_t total;
};

struct spec {
    bool left, zero, plus, blank, alternate;
    int width;
    int precision; /* -1: none given */
    char length;   /* 'H' for hh, 'L' for ll, else the letter, 0: none */
    char conversion;
};

/* The longest number: 64 bits in octal. */
#define DIGITS_MAX 22

static void emit(struct sink *out, const char *s, size_t n)
{
    if (n > 0)
        out->put(out->context, s, n);
    out->total += n;
}

static void emit_run(struct sink *out, const char *sixteen, int n)
{
    for (; n > 0; n -= 16)
        emit(out, sixteen, n < 16 ? (size_t)n : 16);
}

static void emit_blanks(struct sink *out, int n)
{
    emit_run(out, "                ", n);
}

static void emit_zeroes(struct sink *out, int n)
{
    emit_run(out, "0000000000000000", n);
}

static bool read_flag(struct spec *spec, char c)
{
    switch (c) {
    case '-':
        return spec->left = true;
    case '0':
        return spec->zero = true;
    case '+':
        return spec->plus = true;
    case ' ':
        return spec->blank = true;
    case '#':
        return spec->alternate = true;
    default:
        return false;
    }
}

static const char *read_count(const char *f, int *count)
{
    unsigned n = 0;
    for (; *f >= '0' && *f <= '9'; f++)
        n = n < INT_MAX / 10 - 1 ? n * 10 + (unsigned)(*f - '0') : n;
    *count = (int)n;
    return f;
}

static const char *read_length(const char *f, char *length)
{
    if (!*f || !strchr("hlzt", *f))
        return f;
    *length = *f++;
    if (*f == *length && (*f == 'h' || *f == 'l')) {
        *length = *f == 'h' ? 'H' : 'L';
        f++;
    }
    return f;
}

static void set_width(struct spec *spec, int width)
{
    spec->left |= width < 0;
    spec->width = width == INT_MIN ? INT_MAX : width < 0 ? -width : width;
}

/* va_list travels by pointer: where it is an array it decays as a parameter. */
struct arguments {
    va_list list;
};

/* f points behind the %; returns what follows the conversion. */
static const char *read_spec(const char *f, struct spec *spec,
                             struct arguments *args)
{
    *spec = (struct spec){.precision = -1};
    while (read_flag(spec, *f))
        f++;
    if (*f == '*') {
        set_width(spec, va_arg(args->list, int));
        f++;
    } else {
        f = read_count(f, &spec->width);
    }
    if (*f == '.' && f[1] == '*') {
        spec->precision = va_arg(args->list, int);
        f += 2;
    } else if (*f == '.') {
        f = read_count(f + 1, &spec->precision);
    }
    f = read_length(f, &spec->length);
    spec->conversion = *f;
    return *f ? f + 1 : f;
}

static unsigned long long signed_argument(char length, struct arguments *args)
{
    switch (length) {
    case 'H':
        return (unsigned long long)(signed char)va_arg(args->list, int);
    case 'h':
        return (unsigned long long)(short)va_arg(args->list, int);
    case 'l':
        return (unsigned long long)va_arg(args->list, long);
    case 'L':
        return (unsigned long long)va_arg(args->list, long long);
    case 'z':
    case 't':
        return (unsigned long long)va_arg(args->list, ptrdiff_t);
    default:
        return (unsigned long long)va_arg(args->list, int);
    }
}

static unsigned long long unsigned_argument(char length, struct arguments *args)
{
    switch (length) {
    case 'H':
        return (unsigned char)va_arg(args->list, unsigned);
    case 'h':
        return (unsigned short)va_arg(args->list, unsigned);
    case 'l':
        return va_arg(args->list, unsigned long);
    case 'L':
        return va_arg(args->list, unsigned long long);
    case 'z':
    case 't':
        return va_arg(args->list, size_t);
    default:
        return va_arg(args->list, unsigned);
    }
}

/* Writes the digits so that they end before `end`; returns the first. */
static char *digits(char *end, unsigned long long n, unsigned base, bool upper)
{
    const char *figures = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    for (; n > ~0ul; n /= base)
        *--end = figures[n % base];
    for (unsigned long low = (unsigned long)n; low > 0; low /= base)
        *--end = figures[low % base];
    return end;
}

static void emit_number(struct sink *out, const struct spec *spec,
                        unsigned long long n, unsigned base, const char *sign)
{
    char buffer[DIGITS_MAX], *end = buffer + DIGITS_MAX;
    char *first = digits(end, n, base, spec->conversion == 'X');
    int count = (int)(end - first), sign_length = (int)strlen(sign);
    int least = spec->precision >= 0 ? spec->precision : 1;
    if (base == 8 && spec->alternate && least <= count)
        least = count + 1;
    int zeroes = least > count ? least - count : 0;
    int room = spec->width - sign_length - zeroes - count;
    if (spec->zero && !spec->left && spec->precision < 0 && room > 0) {
        zeroes += room;
        room = 0;
    }
    emit_blanks(out, spec->left ? 0 : room);
    emit(out, sign, (size_t)sign_length);
    emit_zeroes(out, zeroes);
    emit(out, first, (size_t)count);
    emit_blanks(out, spec->left ? room : 0);
}

static void emit_signed(struct sink *out, const struct spec *spec,
                        struct arguments *args)
{
    unsigned long long n = signed_argument(spec->length, args);
    bool negative = (long long)n < 0;
    const char *sign = negative      ? "-"
                       : spec->plus  ? "+"
                       : spec->blank ? " "
                                     : "";
    emit_number(out, spec, negative ? -n : n, 10, sign);
}

static void emit_hex(struct sink *out, const struct spec *spec,
                     unsigned long long n)
{
    const char *sign = spec->conversion == 'X' ? "0X" : "0x";
    emit_number(out, spec, n, 16, spec->alternate && n ? sign : "");
}

static void emit_pointer(struct sink *out, const struct spec *spec,
                         struct arguments *args)
{
    void *p = va_arg(args->list, void *);
    emit_number(out, spec, (uintptr_t)p, 16, "0x");
}

static void emit_text(struct sink *out, const struct spec *spec, const char *s,
                      size_t n)
{
    int room = n < (size_t)spec->width ? spec->width - (int)n : 0;
    emit_blanks(out, spec->left ? 0 : room);
    emit(out, s, n);
    emit_blanks(out, spec->left ? room : 0);
}

static void emit_string(struct sink *out, const struct spec *spec,
                        const char *s)
{
    if (!s)
        s = "(null)";
    size_t most = spec->precision < 0 ? SIZE_MAX : (size_t)spec->precision;
    emit_text(out, spec, s, strnlen(s, most));
}

/* False: there is no such conversion, and no argument was taken for it. */
static bool convert(struct sink *out, const struct spec *spec,
                    struct arguments *args)
{
    char c;
    switch (spec->conversion) {
    case 'd':
    case 'i':
        emit_signed(out, spec, args);
        return true;
    case 'u':
        emit_number(out, spec, unsigned_argument(spec->length, args), 10, "");
        return true;
    case 'o':
        emit_number(out, spec, unsigned_argument(spec->length, args), 8, "");
        return true;
    case 'x':
    case 'X':
        emit_hex(out, spec, unsigned_argument(spec->length, args));
        return true;
    case 'p':
        emit_pointer(out, spec, args);
        return true;
    case 'c':
        c = (char)va_arg(args->list, int);
        emit_text(out, spec, &c, 1);
        return true;
    case 's':
        emit_string(out, spec, va_arg(args->list, const char *));
        return true;
    case '%':
        emit(out, "%", 1);
        return true;
    default:
        return false;
    }
}

int print_to(void (*put)(void *context, const char *s, size_t n), void *context,
             const char *format, va_list args)
{
    struct sink out = {put, context, 0};
    struct arguments rest;
    struct spec spec;
    va_copy(rest.list, args);
    while (*format) {
        const char *plain = format;
        while (*format && *format != '%')
            format++;
        emit(&out, plain, (size_t)(format - plain));
        if (!*format)
            break;
        const char *start = format;
        format = read_spec(format + 1, &spec, &rest);
        if (!convert(&out, &spec, &rest))
            emit(&out, start, (size_t)(format - start));
    }
    va_end(rest.list);
    return out.total > INT_MAX ? INT_MAX : (int)out.total;
}

struct buffer {
    char *next;
    size_t room; /* for characters, the NUL not counted */
};

static void put_in_buffer(void *context, const char *s, size_t n)
{
    struct buffer *b = context;
    n = min_size(n, b->room);
    memcpy(b->next, s, n);
    b->next += n;
    b->room -= n;
}

int vsnprintf(char *to, size_t size, const char *format, va_list args)
{
    struct buffer b = {to, size > 0 ? size - 1 : 0};
    int length = print_to(put_in_buffer, &b, format, args);
    if (size > 0)
        *b.next = '\0';
    return length;
}

int snprintf(char *to, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(to, size, format, args);
    va_end(args);
    return length;
}
