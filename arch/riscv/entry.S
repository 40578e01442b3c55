/* Kernel traps, and the few things that no C can do. */
#include <arch/cpu.h>
#include <arch/entry.h>
#include <arch/sbi.h>

    .option norelax
    .text

/* A trap in the kernel. sscratch points to the hart's record; after the swap tp
 * does and sscratch has the interrupted tp.
 *
 * A trap may be the stack's own overflow, so nothing is stored at sp before it
 * is known that a whole frame fits between the bounds of the current stack.
 * The record is always mapped, so until sscratch points to it again nothing
 * here can trap. */
    .balign 4
    .globl  trap_entry
trap_entry:
    csrrw   tp, sscratch, tp
    REG_S   sp, HART_SAVED_SP(tp)
    REG_S   t0, HART_SAVED_T0(tp)
    addi    sp, sp, -FRAME_SIZE
    REG_L   t0, HART_STACK_BOTTOM(tp)
    bltu    sp, t0, 1f
    REG_L   t0, HART_STACK_TOP(tp)
    bltu    sp, t0, 2f
1:  REG_L   sp, HART_EMERGENCY_TOP(tp)
    addi    sp, sp, -FRAME_SIZE

2:  REG_S   x1, 1*WORD(sp)
    REG_L   t0, HART_SAVED_SP(tp)
    REG_S   t0, 2*WORD(sp)
    REG_S   x3, 3*WORD(sp)
    csrrw   t0, sscratch, tp
    REG_S   t0, 4*WORD(sp)
    REG_L   t0, HART_SAVED_T0(tp)
    .irp    n, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
    REG_S   x\n, \n*WORD(sp)
    .endr
    .irp    n, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    REG_S   x\n, \n*WORD(sp)
    .endr
    csrr    t0, sepc
    csrr    t1, sstatus
    REG_S   t0, 0*WORD(sp)
    REG_S   t1, FRAME_STATUS(sp)
    REG_S   s0, FRAME_LINK_FP(sp)
    REG_S   t0, FRAME_LINK_PC(sp)
    addi    s0, sp, FRAME_SIZE

    mv      a0, sp
    jal     trap_handle

    REG_L   t0, 0*WORD(sp)
    REG_L   t1, FRAME_STATUS(sp)
    csrw    sepc, t0
    csrw    sstatus, t1
    .irp    n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
    REG_L   x\n, \n*WORD(sp)
    .endr
    .irp    n, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    REG_L   x\n, \n*WORD(sp)
    .endr
    REG_L   sp, 2*WORD(sp)
    sret

/* bool can_count_instructions(void)
 * A trap at the read goes on at 1. */
    .globl  can_count_instructions
can_count_instructions:
    la      t0, 1f
    csrrw   t0, stvec, t0
    li      a0, 0
    csrr    t1, instret
    li      a0, 1
    .balign 4
1:  csrw    stvec, t0
    ret

/* machine_stop(device, value, reason)
 * The kernel runs where it lies, so translation can be turned off under it, and
 * the device's physical address does. Should a step trap, the next one follows;
 * the stack may be a mapped one and is not touched. */
    .globl  machine_stop
machine_stop:
    la      t0, 1f
    csrw    sie, zero
    csrw    stvec, t0
    csrw    satp, zero
    sfence.vma
    beqz    a0, 1f
    fence
    sw      a1, (a0)
    fence
    li      t0, 100000000       /* the emulator takes a moment to notice */
0:  addi    t0, t0, -1
    bnez    t0, 0b
    .balign 4
1:  la      t0, 2f
    csrw    stvec, t0
    li      a0, 0               /* shut down */
    mv      a1, a2
    li      a6, 0
    li      a7, SBI_SRST
    ecall
    .balign 4
2:  la      t0, 3f
    csrw    stvec, t0
    li      a7, SBI_LEGACY_SHUTDOWN
    ecall
    .balign 4
3:  wfi
    j       3b
