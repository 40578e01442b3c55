/* PC16550D data sheet, section 8.0. Input is by interrupt, output waits. */
#include <arch/io.h>
#include <arch/pic.h>
#include <arch/serial.h>

enum {
    COM1 = 0x3f8,
    DATA = COM1,           /* divisor, low byte, while LATCH is on */
    INTERRUPTS = COM1 + 1, /* divisor, high byte, while LATCH is on */
    FIFO = COM1 + 2,
    LINE = COM1 + 3,
    MODEM = COM1 + 4,
    STATUS = COM1 + 5,
    SCRATCH = COM1 + 7,
};

enum { RECEIVED = 0x01, WANTS_MORE = 0x20, ALL_SENT = 0x40 }; /* STATUS */
enum { BITS_8 = 0x03, LATCH = 0x80 };                         /* LINE */
enum { READY = 0x03, INTERRUPT_PIN = 0x08 };                  /* MODEM */

static bool present;

/* Where nothing answers, a read gives 0xff. */
static bool answers(uint8_t byte)
{
    outb(SCRATCH, byte);
    return inb(SCRATCH) == byte;
}

void serial_init(void)
{
    present = answers(0x5a) && answers(0xa5);
    if (!present)
        return;
    outb(INTERRUPTS, 0);
    outb(LINE, LATCH);
    outb(DATA, 1); /* 115200 baud */
    outb(INTERRUPTS, 0);
    outb(LINE, BITS_8);
    outb(FIFO, 0x07); /* on, emptied, an interrupt for each byte */
    outb(MODEM, READY | INTERRUPT_PIN);
}

void serial_put(char c)
{
    if (!present)
        return;
    while (!(inb(STATUS) & WANTS_MORE))
        continue;
    outb(DATA, (uint8_t)c);
}

void serial_drain(void)
{
    for (int i = 0; i < 100000 && !(inb(STATUS) & ALL_SENT); i++)
        continue;
}

int serial_read(void)
{
    return present && (inb(STATUS) & RECEIVED) ? inb(DATA) : -1;
}

void serial_listen(void)
{
    if (!present)
        return;
    pic_unmask(LINE_SERIAL);
    outb(INTERRUPTS, RECEIVED);
}
