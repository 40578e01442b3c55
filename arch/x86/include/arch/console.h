/* What the port itself needs of the console; the rest is <oct/arch.h>. */
#pragma once

#include <oct/types.h>

/* The port's first act: output works from here on. */
void console_init(void);

/* Interrupts for input from now on. */
void console_listen(void);

/* Takes what the devices have received. Returns whether there is input to
 * read. Interrupts are off. */
bool console_poll(void);
