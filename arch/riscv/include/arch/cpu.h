/* Control and status registers, by the names of the RISC-V Instruction Set
 * Manual, Volume II: Privileged Architecture; chapter "Supervisor-Level ISA"
 * gives the bits. Also for assembly. */
#pragma once

/* sstatus */
#define SSTATUS_SIE 0x2     /* interrupts on in S-mode */
#define SSTATUS_SPP 0x100   /* the trap came from S-mode */
#define SSTATUS_FS 0x6000   /* floating point in use */
#define SSTATUS_SUM 0x40000 /* S-mode may use user pages: never here */
#define SSTATUS_MXR 0x80000 /* execute-only pages may be read: never here */

/* sie */
#define SIE_TIMER 0x20
#define SIE_EXTERNAL 0x200

#ifndef __ASSEMBLER__

#define csr_read(csr)                                                          \
    ({                                                                         \
        unsigned long csr_;                                                    \
        __asm__ volatile("csrr %0, " #csr : "=r"(csr_) : : "memory");          \
        csr_;                                                                  \
    })
#define csr_write(csr, value)                                                  \
    __asm__ volatile("csrw " #csr ", %0"                                       \
                     :                                                         \
                     : "rK"((unsigned long)(value))                            \
                     : "memory")
#define csr_set(csr, bits)                                                     \
    __asm__ volatile("csrs " #csr ", %0"                                       \
                     :                                                         \
                     : "rK"((unsigned long)(bits))                             \
                     : "memory")
#define csr_clear(csr, bits)                                                   \
    __asm__ volatile("csrc " #csr ", %0"                                       \
                     :                                                         \
                     : "rK"((unsigned long)(bits))                             \
                     : "memory")

#endif
