/* The console: the firmware's at first, then the UART that the tree names.
 * Input comes by interrupt where there is a UART and a PLIC that reaches it,
 * else it is polled at each tick of the timer. */
#include <arch/cpu.h>
#include <arch/devices.h>
#include <arch/sbi.h>
#include <oct/arch.h>
#include <oct/errno.h>

static bool input_interrupts;
static int peeked = -1; /* a byte the firmware gave to console_poll */

static void put(char c)
{
    if (uart_is_up())
        uart_put(c);
    else
        sbi_put(c);
}

void arch_console_write(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\n')
            put('\r');
        put(s[i]);
    }
}

int arch_console_read(void)
{
    if (uart_is_up())
        return uart_get();
    int byte = peeked >= 0 ? peeked : sbi_get();
    peeked = -1;
    return byte;
}

bool console_poll(void)
{
    if (input_interrupts)
        return false;
    if (uart_is_up())
        return uart_has_input();
    if (peeked < 0)
        peeked = sbi_get();
    return peeked >= 0;
}

/* Without the PLIC everything works but input by interrupt. */
static int start_interrupts(void *(*ioremap)(paddr_t pa, size_t size))
{
    const struct plic_info *plic = &machine.plic;

    if (!plic->base || !machine.uart.irq || plic_span(plic) > plic->size)
        return -ENODEV;
    void *regs = ioremap(plic->base, (size_t)plic_span(plic));
    if (!regs)
        return -ENOMEM;
    plic_init(plic, regs, machine.uart.irq);
    input_interrupts = true;
    csr_set(sie, SIE_EXTERNAL);
    return 0;
}

int arch_init_devices(void *(*ioremap)(paddr_t pa, size_t size))
{
    if (!machine.uart.base)
        return -ENODEV;
    void *regs = ioremap(machine.uart.base, uart_span(&machine.uart));
    if (!regs)
        return -ENOMEM;
    uart_init(&machine.uart, regs);
    return start_interrupts(ioremap);
}
