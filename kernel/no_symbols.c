/* What the first link has in place of the table of names. It is not left out:
 * a linker that finds a symbol missing may shorten the code that asks for it,
 * and then the functions of the two links lie at different addresses. It is a
 * file of its own lest the compiler take the table for empty. */
#include "kernel/symbols.h"

__attribute__((weak)) const size_t symbol_count = 0;
__attribute__((weak)) const struct symbol symbols[] = {{0, NULL}};
