/* Calls of the firmware. RISC-V Supervisor Binary Interface Specification. */
#pragma once

#define SBI_LEGACY_SET_TIMER 0
#define SBI_LEGACY_PUTCHAR 1
#define SBI_LEGACY_GETCHAR 2
#define SBI_LEGACY_SHUTDOWN 8
#define SBI_BASE 0x10
#define SBI_TIME 0x54494d45 /* "TIME" */
#define SBI_SRST 0x53525354 /* "SRST" */
#define SBI_DBCN 0x4442434e /* "DBCN" */

#ifndef __ASSEMBLER__
#include <oct/types.h>

/* Finds out which extensions there are. Before anything below. */
void sbi_init(void);

/* Name and version of the firmware, as "OpenSBI 1.1". */
const char *sbi_firmware(void);

/* The firmware's console: one byte out; one byte in, or -1. */
void sbi_put(char c);
int sbi_get(void);

/* Clears the pending timer interrupt; the next comes when `time` >= `when`. */
void sbi_set_timer(uint64_t when);
#endif
