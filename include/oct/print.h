/* Formatted output. The conversions are those of ISO C that the kernel needs:
 * %d %i %u %x %X %o %c %s %p %%, the lengths hh h l ll z t, the flags - 0 + #
 * and blank, width and precision, both also as *. An unknown conversion is
 * printed as it stands. */
#pragma once

#include <stdarg.h>

#include <oct/types.h>

/* Prints on the console. */
void kprintf(const char *format, ...) PRINTF(1, 2);
void kvprintf(const char *format, va_list args) PRINTF(1, 0);

/* Writes at most size - 1 characters and a NUL (nothing when size is 0).
 * Returns the length that the whole text has. */
int snprintf(char *to, size_t size, const char *format, ...) PRINTF(3, 4);
int vsnprintf(char *to, size_t size, const char *format, va_list args)
    PRINTF(3, 0);

/* The engine: hands out the text piece by piece. Returns its whole length. */
int print_to(void (*put)(void *context, const char *s, size_t n), void *context,
             const char *format, va_list args) PRINTF(3, 0);
