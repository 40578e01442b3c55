/* Trying what may fault, and the clock. Any fault of the kernel that is not
 * tried is a panic. */
#pragma once

#include <oct/trap.h>
#include <oct/types.h>

/* Runs fn(arg). True: it came back. False: it faulted or was refused, it was
 * abandoned there and then with whatever locks it held, and *fault (unless
 * NULL) says why. Interrupts are on or off afterwards as they were before. fn
 * may itself try things; running out of stack is a panic even here. */
bool trap_try(void (*fn)(void *), void *arg, struct trap *fault);

/* Read, write or call the byte at addr. False if that faults; a byte read is
 * stored in *byte. What is called should return. */
bool probe_read(vaddr_t addr, uint8_t *byte);
bool probe_write(vaddr_t addr, uint8_t byte);
bool probe_execute(vaddr_t addr);

/* What happened, where, and what lies there: for people, two or three lines
 * without the last "\n". */
struct trap_text {
    char text[320];
};
struct trap_text trap_text(const struct trap *t);

/* Timer interrupts so far. */
unsigned long trap_ticks(void);

/* Has fn called at every tick from now on, in the interrupt; NULL: nothing. */
void trap_on_tick(void (*fn)(void));

/* They come so many times a second. */
#define TICKS_PER_SECOND 100
