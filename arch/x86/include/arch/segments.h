/* Descriptor tables. Segments are flat: paging alone protects. */
#pragma once

#include <oct/types.h>

enum {
    KERNEL_CODE = 0x08, /* entry.asm knows these two */
    KERNEL_DATA = 0x10,
    USER_CODE = 0x18 | 3,
    USER_DATA = 0x20 | 3,
    TASK_KERNEL = 0x28,
    TASK_DOUBLE_FAULT = 0x30,
};

/* 32-bit task-state segment. SDM 3A, 7.2.1. */
struct task_segment {
    uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2;
    uint32_t cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
    uint32_t es, cs, ss, ds, fs, gs, ldt;
    uint16_t trace, io_map;
};

/* Loads the global and interrupt descriptor tables, the segment registers and
 * the task register. From here on every trap is reported. */
void segments_init(void);

/* A double fault switches to the table at `root`: to be told of each new one,
 * before it is used. */
void segments_set_root(uint32_t root);

/* What a double fault interrupted: the registers as they were. */
const struct task_segment *segments_interrupted(void);
