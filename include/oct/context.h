/* In which context code runs: what an allocator asks the kernel before it
 * waits. */
#pragma once

#include <oct/types.h>

/* True while a trap or an interrupt is being handled: nobody may wait then. */
bool in_interrupt(void);

/* Lets others run for a moment: interrupts, and whoever may free memory. Called
 * without locks, and not in an interrupt. */
void let_others_run(void);
