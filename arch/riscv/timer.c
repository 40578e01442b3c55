/* The clock. Ticks are asked of the firmware, one call each. A hart with Sstc
 * could set stimecmp itself, but only if the firmware allowed it in menvcfg,
 * which S-mode cannot read; the call works everywhere, and at most a thousand
 * a second cost nothing. */
#include <arch/cpu.h>
#include <arch/devices.h>
#include <arch/entry.h>
#include <arch/sbi.h>
#include <oct/arch.h>

static uint64_t interval, next_tick; /* in ticks of `time` */

#if __riscv_xlen == 64
#define READ_COUNTER(name) csr_read(name)
#else
/* The high half is read again lest the low one wrapped in between. */
#define READ_COUNTER(name)                                                     \
    ({                                                                         \
        unsigned long high_, low_;                                             \
        do {                                                                   \
            high_ = csr_read(name##h);                                         \
            low_ = csr_read(name);                                             \
        } while (high_ != csr_read(name##h));                                  \
        (uint64_t) high_ << 32 | low_;                                         \
    })
#endif

void arch_timer_start(unsigned hz)
{
    interval = machine.timebase / hz;
    next_tick = READ_COUNTER(time) + interval;
    sbi_set_timer(next_tick);
    csr_set(sie, SIE_TIMER);
}

/* Ticks stay on their grid; those that were missed are not made up for. */
void timer_interrupt(void)
{
    uint64_t now = READ_COUNTER(time);

    next_tick += interval;
    if (next_tick <= now)
        next_tick = now + interval;
    sbi_set_timer(next_tick);
}

uint64_t arch_counter(void)
{
    static signed char counts; /* 0: not known yet */

    if (counts == 0) {
        unsigned long irq = arch_irq_save();
        counts = can_count_instructions() ? 1 : -1;
        arch_irq_restore(irq);
    }
    return counts > 0 ? READ_COUNTER(instret) : READ_COUNTER(time);
}
