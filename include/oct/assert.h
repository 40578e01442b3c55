/* assert() is for the programmer's faults, never the user's and never for
 * running out of memory. It stays on in every build. */
#pragma once

#include <oct/types.h>

#define assert(condition)                                                      \
    ((condition) ? (void)0 : assert_failed(#condition, __FILE__, __LINE__))

#define static_assert _Static_assert

/* Prints where and what, a backtrace, and stops the machine with status 2. */
NORETURN void assert_failed(const char *what, const char *file, int line);

/* The same for a condition found by other means. */
NORETURN void panic(const char *format, ...) PRINTF(1, 2);
