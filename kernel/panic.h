/* The end, for those who know where it began: see panic in <oct/assert.h>. */
#pragma once

#include <oct/types.h>

/* Prints the message and a backtrace that begins at pc with frame pointer fp,
 * and powers off with status 2. */
NORETURN void panic_at(vaddr_t pc, vaddr_t fp, const char *format, ...)
    PRINTF(3, 4);
