/* Turning the machine off, so that whoever started it learns how it went. */
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/serial.h>
#include <oct/arch.h>

enum {
    DEBUG_EXIT = 0xf4,   /* QEMU's isa-debug-exit: exits with status * 2 + 1 */
    PM1_CONTROL = 0x604, /* QEMU's power management */
    SLEEP_S5 = 0x2000,
};

void arch_poweroff(unsigned status)
{
    static const char stays_on[] = "It is now safe to turn off the machine.\n";

    arch_irq_save();
    serial_drain();
    outb(DEBUG_EXIT, (uint8_t)status);
    outw(PM1_CONTROL, SLEEP_S5);
    arch_console_write(stays_on, sizeof(stays_on) - 1);
    halt();
}
