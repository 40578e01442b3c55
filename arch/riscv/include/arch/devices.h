/* The devices that the port drives itself. */
#pragma once

#include <arch/machine.h>

/* --- UART --- */

/* Bytes of registers that it has. */
size_t uart_span(const struct uart_info *info);

/* Uses the registers mapped at `regs`; before, uart_is_up is false. */
void uart_init(const struct uart_info *info, volatile void *regs);
bool uart_is_up(void);

/* Waits until the byte can be written; until all bytes have left. */
void uart_put(char c);
void uart_drain(void);

/* Next byte, or -1. Input interrupts are on again once there is none. */
int uart_get(void);
bool uart_has_input(void);

/* After an input interrupt: if input was left unread, no more interrupts until
 * uart_get has found the end of it, or the line would interrupt for ever. */
void uart_settle(void);

/* --- PLIC --- */

/* Bytes of registers that this context needs. */
uint64_t plic_span(const struct plic_info *info);

/* Uses the registers mapped at `regs` and lets through interrupt `irq`. */
void plic_init(const struct plic_info *info, volatile void *regs, uint32_t irq);

/* The interrupt to handle now, or 0; and that it has been handled. */
uint32_t plic_claim(void);
void plic_complete(uint32_t irq);

/* --- timer, console --- */

/* A timer interrupt: asks for the next. */
void timer_interrupt(void);

/* True if there is input that no interrupt will tell of: poll it. */
bool console_poll(void);
