/* What the kernel asks of a hart. */
#include <arch/cpu.h>
#include <arch/devices.h>
#include <arch/entry.h>
#include <oct/arch.h>

const char arch_name[] = "riscv";

_Static_assert(HART_INDEX == offsetof(struct hart, index), "arch/irq.h");
_Static_assert(SSTATUS_SIE_BIT == SSTATUS_SIE, "arch/irq.h");

void arch_irq_enable(void)
{
    csr_set(sstatus, SSTATUS_SIE);
}

/* wfi wakes for what is enabled in sie even with interrupts off ("Wait for
 * Interrupt"), so one that comes before it is not slept through. */
void arch_idle(void)
{
    csr_clear(sstatus, SSTATUS_SIE);
    __asm__ volatile("wfi" : : : "memory");
    csr_set(sstatus, SSTATUS_SIE);
}

/* The compiler's prologue stores the return address below the frame pointer and
 * the caller's frame pointer below that. A leaf function stores no return
 * address, but can only be the interrupted one: trap.c gives it a link. */
void arch_unwind(vaddr_t *fp, vaddr_t *pc)
{
    const struct link *link = (const struct link *)*fp - 1;
    *pc = link->pc;
    *fp = link->fp;
}

/* The board's test device alone can carry a status ("SiFive test finisher"). */
void arch_poweroff(unsigned status)
{
    if (uart_is_up())
        uart_drain();
    unsigned long value = status ? status << 16 | 0x3333 : 0x5555;
    machine_stop((unsigned long)machine.test_device, value, status != 0);
}
