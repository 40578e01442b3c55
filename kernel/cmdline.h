/* The words that the boot loader hands over; README lists them. */
#pragma once

/* Does what has to be done before there is a heap: heap=WORD,... switches heap
 * debugging (mm/kdebug.h). */
void cmdline_early(const char *words);

/* Does what the words say, in their order. If one of them asked for a run
 * (test, bench, run) powers the machine off afterwards: 0 all well, 1 not. */
void cmdline_run(const char *words);
