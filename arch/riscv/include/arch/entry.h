/* What entry.S and C share: the hart's record and the trap frame.
 *
 * While a hart is in the kernel its sscratch points to its record and its stvec
 * to trap_entry. User mode will have an stvec of its own, in the trampoline
 * page, that changes tables before it comes to anything here. */
#pragma once

#if __riscv_xlen == 64
#define WORD 8
#define REG_L ld
#define REG_S sd
#else
#define WORD 4
#define REG_L lw
#define REG_S sw
#endif

/* struct hart */
#define HART_STACK_BOTTOM (0 * WORD)
#define HART_STACK_TOP (1 * WORD)
#define HART_EMERGENCY_TOP (2 * WORD)
#define HART_SAVED_SP (3 * WORD)
#define HART_SAVED_T0 (4 * WORD)

/* struct frame: a multiple of 16 bytes, as the ABI wants of sp */
#define FRAME_STATUS (32 * WORD)
#define FRAME_LINK_FP (38 * WORD)
#define FRAME_LINK_PC (39 * WORD)
#define FRAME_SIZE (40 * WORD)

#ifndef __ASSEMBLER__
#include <oct/types.h>

/* One a hart. Whoever changes stacks sets the bounds of the new one: a trap
 * that finds sp outside them is taken on the emergency stack. */
struct hart {
    vaddr_t stack_bottom, stack_top;
    vaddr_t emergency_top;
    unsigned long saved_sp, saved_t0; /* of trap_entry, for a moment */
    unsigned long id;                 /* the hardware's */
    unsigned index;                   /* ours: arch_cpu_id */
};

/* Two words as a function's prologue leaves them below its frame pointer. */
struct link {
    vaddr_t fp, pc;
};

/* The interrupted registers, and two links for arch_unwind: one takes the place
 * of what a leaf function did not store, one leads from the handler to the
 * interrupted code. */
struct frame {
    unsigned long x[32]; /* x[0] is the program counter */
    unsigned long status;
    unsigned long unused;
    struct link leaf;
    unsigned long unused2[2];
    struct link link;
};

/* start.c, called by boot.S with what the firmware gave: the hart that runs,
 * and where the device tree is. */
NORETURN void start(unsigned long hart, const void *tree);

/* entry.S: where kernel traps arrive; aligned as stvec wants. */
void trap_entry(void);

/* trap.c, called by entry.S with interrupts off. */
void trap_handle(struct frame *f);

/* trap.c: reports traps from now on. Call it once, on the boot stack. */
void trap_init(unsigned long hart);

/* entry.S: true if instret may be read (mcounteren.IR). Interrupts are off. */
bool can_count_instructions(void);

/* entry.S: stops the machine from any state, without using memory: writes
 * `value` to the test device unless its address is 0, then asks the firmware,
 * giving `reason` (SBI, "System Reset Extension"), then halts. */
NORETURN void machine_stop(unsigned long device, unsigned long value,
                           unsigned long reason);
#endif
