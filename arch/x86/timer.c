/* The 8254 interval timer's channel 0. Intel 8254 data sheet (231164). */
#include <arch/io.h>
#include <arch/pic.h>
#include <oct/arch.h>
#include <oct/assert.h>

enum { CHANNEL_0 = 0x40, CONTROL = 0x43 };

#define RATE_GENERATOR 0x34 /* channel 0, low byte then high byte, mode 2 */
#define INPUT_HZ 1193182u

void arch_timer_start(unsigned hz)
{
    assert(hz >= 19 && hz <= 1000); /* or the divisor has more than 16 bits */
    unsigned divisor = (INPUT_HZ + hz / 2) / hz;

    outb(CONTROL, RATE_GENERATOR);
    outb(CHANNEL_0, divisor & 0xff);
    outb(CHANNEL_0, divisor >> 8);
    pic_unmask(LINE_TIMER);
}
