/* The console: where kprintf (<oct/print.h>) goes and what is typed comes from.
 */
#pragma once

#include <oct/types.h>

/* Colours, for headings and pictures; a terminal that knows none ignores them.
 */
#define BOLD "\033[1m"
#define RED "\033[31m"
#define GREEN "\033[32m"
#define PLAIN "\033[0m"

/* Begins every line from now on with `prefix`, which stays the caller's; NULL:
 * with nothing. A line that was begun otherwise is ended. */
void console_set_prefix(const char *prefix);

/* The next byte that is typed. Waits for it with interrupts on. */
int console_getc(void);

/* For the last words: no prefix, no colour left over, and no lock any more,
 * since whoever holds it does not run again. */
void console_last_words(void);

/* A number of bytes as people write it: "640 KiB", "2 GiB". Exact up to four
 * digits, rounded down beyond. */
struct size_text {
    char text[16];
};
struct size_text size_text(uint64_t bytes);
