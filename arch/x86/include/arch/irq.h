/* Which CPU this is, and its interrupts: what is asked so often that it must
 * not cost a call. Documented in <oct/arch.h>. */
#pragma once

#include <oct/types.h>

/* Only the CPU that booted runs. */
static inline unsigned arch_cpu_id(void)
{
    return 0;
}

static inline unsigned long arch_irq_save(void)
{
    unsigned long flags;

    __asm__ volatile("pushfl; popl %0; cli" : "=r"(flags) : : "memory", "cc");
    return flags;
}

/* Bit 9 is EFLAGS.IF. popf would restore all of the flags, and takes longer. */
static inline void arch_irq_restore(unsigned long flags)
{
    if (flags & 0x200)
        __asm__ volatile("sti" : : : "memory", "cc");
}
