/* Names of the kernel's functions, for backtraces and reports. The table is
 * made by tools/symbols from the first link; that link itself has the empty one
 * of no_symbols.c. */
#pragma once

#include <oct/types.h>

struct symbol {
    vaddr_t addr;
    const char *name;
};

extern const struct symbol symbols[];
extern const size_t symbol_count;

/* The function that `addr` lies in and, in *offset, how far; NULL if none. */
const char *symbol_find(vaddr_t addr, size_t *offset);

/* The same for printing: "kfree+0x12", or the bare address. */
struct symbol_text {
    char text[48];
};
struct symbol_text symbol_text(vaddr_t addr);

/* Prints pc and who called whom to get there, newest first, a line each, for as
 * long as the frame pointers lead up the boot stack. What recursion repeats is
 * printed once, with a count. */
void backtrace(vaddr_t pc, vaddr_t fp);
