/* The first serial line: a 16550 at COM1, 115200 baud, 8 bits, no parity. */
#pragma once

#include <oct/types.h>

/* Sets the line up; finds out whether it is there at all. Without it the calls
 * below do nothing. */
void serial_init(void);

/* Sends one byte, as soon as the line takes it. */
void serial_put(char c);

/* Waits, but not for ever, until all that was put is out. */
void serial_drain(void);

/* Next byte received, or -1. Does not wait. */
int serial_read(void);

/* Interrupts on LINE_SERIAL from now on, for each byte received. */
void serial_listen(void);
