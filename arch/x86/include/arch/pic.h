/* The two 8259A interrupt controllers. Intel 8259A data sheet (231468). */
#pragma once

#include <oct/types.h>

#define PIC_VECTOR 32 /* of line 0 */
#define PIC_LINES 16

enum { LINE_TIMER = 0, LINE_KEYBOARD = 1, LINE_SERIAL = 4 };

/* Moves the 16 lines to PIC_VECTOR and up, off the CPU's exceptions, and
 * silences them all. */
void pic_init(void);

/* Lets one line through. */
void pic_unmask(unsigned line);

/* To be called once for each interrupt that came in on `line`. Returns false
 * if no device raised it: the controller sends line 7 or 15 when a request
 * goes away before it is acknowledged. */
bool pic_acknowledge(unsigned line);
