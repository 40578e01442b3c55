/* A CPU is a thread here, and nothing else runs on it: there are no interrupts
 * to keep away. (Signal handlers do not allocate.) */
#pragma once

#include "lab/port/cpu.h"

static inline unsigned arch_cpu_id(void)
{
    return oct_cpu();
}

static inline unsigned long arch_irq_save(void)
{
    return 0;
}

static inline void arch_irq_restore(unsigned long state)
{
    (void)state;
}
