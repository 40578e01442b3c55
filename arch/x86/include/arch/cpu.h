/* Registers and instructions that C has no words for, and what the CPU can do.
 * SDM is the Intel 64 and IA-32 Architectures Software Developer's Manual:
 * volume 3A, section 2.5 (control registers); volume 2A, CPUID. */
#pragma once

#include <oct/types.h>

#define CR0_WP 0x00010000ul /* the kernel respects read-only pages too */
#define CR0_PG 0x80000000ul
#define CR4_PSE 0x10ul
#define CR4_PAE 0x20ul
#define CR4_PGE 0x80ul
#define MSR_EFER 0xc0000080ul
#define EFER_NXE 0x800ul
#define EFLAGS_RESERVED 0x2ul /* always 1 */
#define EFLAGS_IF 0x200ul
#define EFLAGS_ID 0x200000ul /* can be changed: there is CPUID */

/* Bits of CPUID.1:EDX; 32 and up: of CPUID.80000001H:EDX. */
enum cpu_feature {
    CPU_PSE = 3,
    CPU_TSC = 4,
    CPU_PAE = 6,
    CPU_CX8 = 8,
    CPU_PGE = 13,
    CPU_CMOV = 15,
    CPU_NX = 32 + 20,
};

/* Asks the CPU once what it can do. Returns NULL, or the name of something
 * this kernel needs and the CPU has not. */
const char *cpu_identify(void);

/* After cpu_identify. */
bool cpu_has(enum cpu_feature feature);

static inline unsigned long read_cr0(void)
{
    unsigned long value;
    asm volatile("mov %%cr0, %0" : "=r"(value) : : "memory");
    return value;
}

static inline void write_cr0(unsigned long value)
{
    asm volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline unsigned long read_cr2(void)
{
    unsigned long value;
    asm volatile("mov %%cr2, %0" : "=r"(value) : : "memory");
    return value;
}

static inline unsigned long read_cr3(void)
{
    unsigned long value;
    asm volatile("mov %%cr3, %0" : "=r"(value) : : "memory");
    return value;
}

static inline void write_cr3(unsigned long value)
{
    asm volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline unsigned long read_cr4(void)
{
    unsigned long value;
    asm volatile("mov %%cr4, %0" : "=r"(value) : : "memory");
    return value;
}

static inline void write_cr4(unsigned long value)
{
    asm volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

static inline uint64_t read_msr(uint32_t msr)
{
    uint64_t value;
    asm volatile("rdmsr" : "=A"(value) : "c"(msr) : "memory");
    return value;
}

static inline void write_msr(uint32_t msr, uint64_t value)
{
    asm volatile("wrmsr" : : "A"(value), "c"(msr) : "memory");
}

static inline void invlpg(vaddr_t va)
{
    asm volatile("invlpg (%0)" : : "r"(va) : "memory");
}

/* For ever, and cheaply. */
static inline NORETURN void halt(void)
{
    for (;;)
        asm volatile("cli; hlt" : : : "memory");
}
