/* The simulated CPUs: a test says which one it runs on, and none is ever
 * interrupted. */
#pragma once

extern unsigned host_cpu; /* tests/host/machine.c */

static inline unsigned arch_cpu_id(void)
{
    return host_cpu;
}

static inline unsigned long arch_irq_save(void)
{
    return 0;
}

static inline void arch_irq_restore(unsigned long state)
{
    (void)state;
}
