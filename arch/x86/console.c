/* One console: output goes to the serial line and the screen, input comes from
 * the serial line and the keyboard. Input waits in a ring between the interrupt
 * that takes it from the device and the kernel's reading it; what finds the
 * ring full is lost. */
#include <arch/console.h>
#include <arch/keyboard.h>
#include <arch/pic.h>
#include <arch/serial.h>
#include <arch/vga.h>
#include <oct/arch.h>

static char ring[1024];
static unsigned first, next; /* free running; next - first is the fill */

static void ring_put(char c)
{
    if (next - first < sizeof(ring))
        ring[next++ % sizeof(ring)] = c;
}

static int ring_get(void)
{
    return first == next ? -1 : (uint8_t)ring[first++ % sizeof(ring)];
}

void console_init(void)
{
    serial_init();
    vga_init();
}

void console_listen(void)
{
    keyboard_init();
    serial_listen();
    pic_unmask(LINE_KEYBOARD);
}

bool console_poll(void)
{
    const char *keys;
    int c;

    while ((c = serial_read()) >= 0)
        ring_put((char)c);
    while ((keys = keyboard_read()))
        while (*keys)
            ring_put(*keys++);
    return first != next;
}

/* Also polls, so that input works before interrupts do. */
int arch_console_read(void)
{
    unsigned long irq = arch_irq_save();
    int c = console_poll() ? ring_get() : -1;

    arch_irq_restore(irq);
    return c;
}

void arch_console_write(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\n')
            serial_put('\r');
        serial_put(s[i]);
    }
    vga_write(s, n);
}
