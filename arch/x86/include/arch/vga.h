/* The text screen: 80 columns, 25 lines, at 0xb8000. */
#pragma once

#include <oct/types.h>

/* Clears the screen and forgets any escape sequence begun. */
void vga_init(void);

/* Shows n bytes as a terminal would: \n (to a new line), \r, \b, \t; of the
 * escape sequences ESC[...m (colours), ESC[K, ESC[nC and ESC[nD. All others
 * are skipped. Returns with the cursor behind the last character. */
void vga_write(const char *s, size_t n);
