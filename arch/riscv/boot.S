/* Where the firmware enters: S-mode, one hart, a0 = its id, a1 = the device
 * tree, satp 0. The linker script places this first. gp is not used. */
#include <arch/cpu.h>
#include <arch/entry.h>

    .option norelax
    .section .text.boot, "ax"
    .globl  _start
_start:
    csrw    sie, zero
    li      t0, SSTATUS_SIE | SSTATUS_FS | SSTATUS_SUM | SSTATUS_MXR
    csrc    sstatus, t0
    csrw    satp, zero

    la      t0, bss_start       /* both are multiples of WORD */
    la      t1, bss_end
1:  bgeu    t0, t1, 2f
    REG_S   zero, (t0)
    addi    t0, t0, WORD
    j       1b

2:  la      sp, stack_top
    li      s0, 0               /* backtraces end here */
    li      gp, 0
    li      tp, 0
    jal     start
3:  wfi
    j       3b
