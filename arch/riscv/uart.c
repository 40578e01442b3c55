/* A UART of the 16550 family (National Semiconductor PC16550D data sheet).
 * The firmware has set the line's speed and format. */
#include <arch/devices.h>
#include <oct/io.h>

/* Registers. */
enum {
    DATA = 0,
    INTERRUPTS = 1,
    FIFO = 2,
    LINE_STATUS = 5,
    REGISTERS = 8,
};

/* Bits of INTERRUPTS, FIFO and LINE_STATUS. */
enum { ON_INPUT = 0x01 };
enum { FIFO_ON = 0x01 };
enum { INPUT_READY = 0x01, OUTPUT_READY = 0x20, OUTPUT_DONE = 0x40 };

static volatile unsigned char *registers;
static uint32_t shift, width;

static unsigned get(unsigned which)
{
    volatile unsigned char *at = registers + (which << shift);
    return width == 4 ? readl(at) : readb(at);
}

static void set(unsigned which, unsigned value)
{
    volatile unsigned char *at = registers + (which << shift);
    if (width == 4)
        writel(value, at);
    else
        writeb((uint8_t)value, at);
}

size_t uart_span(const struct uart_info *info)
{
    return (size_t)REGISTERS << info->shift;
}

void uart_init(const struct uart_info *info, volatile void *regs)
{
    shift = info->shift;
    width = info->width;
    registers = regs;
    set(FIFO, FIFO_ON);
    set(INTERRUPTS, ON_INPUT);
}

bool uart_is_up(void)
{
    return registers != NULL;
}

void uart_put(char c)
{
    while (!(get(LINE_STATUS) & OUTPUT_READY))
        ;
    set(DATA, (unsigned char)c);
}

void uart_drain(void)
{
    while (!(get(LINE_STATUS) & OUTPUT_DONE))
        ;
}

bool uart_has_input(void)
{
    return get(LINE_STATUS) & INPUT_READY;
}

int uart_get(void)
{
    if (uart_has_input())
        return (int)(get(DATA) & 0xff);
    set(INTERRUPTS, ON_INPUT);
    return -1;
}

void uart_settle(void)
{
    if (uart_has_input())
        set(INTERRUPTS, 0);
}
