/* How a trap looks on the kernel's stack, and where it goes from entry.asm. */
#pragma once

#include <oct/types.h>

#define VECTORS 256
#define EXCEPTIONS 32 /* vectors below are the CPU's own */

enum {
    VECTOR_BREAKPOINT = 3,
    VECTOR_OVERFLOW = 4,
    VECTOR_DOUBLE = 8,
    VECTOR_PAGE = 14
};

/* As trap_common builds it, lowest address first. */
struct trap_frame {
    uint32_t gs, fs, es, ds;
    uint32_t edi, esi, ebp, ignored_esp, ebx, edx, ecx, eax;
    uint32_t vector, error;     /* the stub's; the CPU's, or 0 */
    uint32_t eip, cs, eflags;   /* the CPU's */
    uint32_t user_esp, user_ss; /* there only if it came from user mode */
};

/* Called by entry.asm with interrupts off, for every vector but the double
 * fault's. Returning resumes the interrupted code with the frame's registers.
 */
void x86_trap(struct trap_frame *frame);

/* Called by entry.asm on the double fault's own stack. The interrupted code's
 * registers are in its task segment (segments_interrupted). */
NORETURN void x86_double_fault(void);

/* Entry points of the vectors, in entry.asm. */
extern const uint32_t vector_stubs[VECTORS];
void double_fault_entry(void);
