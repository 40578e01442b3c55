/* Which hart this is, and its interrupts: what is asked so often that it must
 * not cost a call. Documented in <oct/arch.h>. */
#pragma once

#include <oct/types.h>

#define HART_INDEX (6 * sizeof(unsigned long)) /* in struct hart, entry.h */
#define SSTATUS_SIE_BIT 2

static inline unsigned arch_cpu_id(void)
{
    const char *hart;
    __asm__ volatile("csrr %0, sscratch" : "=r"(hart));
    return *(const unsigned *)(const void *)(hart + HART_INDEX);
}

static inline unsigned long arch_irq_save(void)
{
    unsigned long old;
    __asm__ volatile("csrrci %0, sstatus, %1"
                     : "=r"(old)
                     : "i"(SSTATUS_SIE_BIT)
                     : "memory");
    return old & SSTATUS_SIE_BIT;
}

static inline void arch_irq_restore(unsigned long state)
{
    __asm__ volatile("csrs sstatus, %0" : : "r"(state) : "memory");
}
