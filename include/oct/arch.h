/* What a port gives to the kernel. What it gives to the memory manager is in
 * <oct/mmu.h>, <arch/pte.h> and <arch/layout.h>.
 *
 * The port calls kmain once, with traps already reported, interrupts off,
 * address translation off (virtual = physical) and the boot stack in use; and
 * trap_dispatch (<oct/trap.h>) for every trap. It makes no other upcall. */
#pragma once

#include <arch/irq.h>
#include <oct/boot_info.h>
#include <oct/types.h>

/* Upcall: the portable kernel. *boot stays valid for ever. */
NORETURN void kmain(const struct boot_info *boot);

/* "x86", "riscv": the value of ARCH; "i386", "sv39": the value of MMU. */
extern const char arch_name[];
extern const char mmu_name[];

/* --- console --- */

/* Writes n bytes, waiting as long as it takes. Works from the port's first C
 * instruction on, also with interrupts off. "\n" moves to a new line. */
void arch_console_write(const char *s, size_t n);

/* Next byte of input from any keyboard or line, or -1. Does not wait. */
int arch_console_read(void);

/* --- CPUs --- */

/* From <arch/irq.h>:
 *
 * unsigned arch_cpu_id(void)
 * Which CPU this is: they are numbered from 0, the one that booted, whatever
 * numbers the hardware gives them.
 *
 * unsigned long arch_irq_save(void), void arch_irq_restore(unsigned long state)
 * Turns this CPU's interrupts off; returns the former state for restore. */

/* --- interrupts and time --- */

/* Brings up the interrupt controller, console input interrupts and the devices
 * the port drives itself, after the kernel's page table is in use. `ioremap`
 * maps device registers for it (NULL: no room). Interrupts stay off.
 * Returns 0, or -ENOMEM, -ENODEV; the early console works either way. */
MUST_CHECK int arch_init_devices(void *(*ioremap)(paddr_t pa, size_t size));

void arch_irq_enable(void);

/* Interrupts on and wait for one, without missing one that came in between;
 * returns with interrupts on. */
void arch_idle(void);

/* TRAP_TIMER `hz` times a second from now on. 19 <= hz <= 1000. */
void arch_timer_start(unsigned hz);

/* Counts instructions under QEMU's -icount, some clock otherwise. 64 bits. */
uint64_t arch_counter(void);

/* --- stopping and looking back --- */

/* Powers the machine off. The emulator's exit status tells `status` apart:
 * 0 all well, 1 a check failed, 2 panic. Halts if the machine cannot. */
NORETURN void arch_poweroff(unsigned status);

/* Where the caller of the function with frame pointer *fp goes on: stores that
 * in *pc and the caller's frame pointer in *fp. *fp has been checked to be
 * aligned and to lie within mapped stack, 4 words below its end or more. */
void arch_unwind(vaddr_t *fp, vaddr_t *pc);

/* --- facts to print --- */

/* One line about what the CPU offers this format ("NX", "no execute control");
 * never NULL. */
const char *arch_mmu_features(void);
