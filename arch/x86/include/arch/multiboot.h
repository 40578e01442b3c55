/* Multiboot Specification 0.6.96, section 3.3: what the loader hands over. */
#pragma once

#include <oct/types.h>

struct boot_info; /* <oct/boot_info.h> */

#define MULTIBOOT_MAGIC 0x2badb002

enum {
    MULTIBOOT_COMMAND_LINE = 1 << 2, /* flags: which fields are valid */
    MULTIBOOT_MODULES = 1 << 3,
    MULTIBOOT_MAP = 1 << 6,
    MULTIBOOT_LOADER_NAME = 1 << 9,
};

struct multiboot_info {
    uint32_t flags;
    uint32_t mem_lower, mem_upper;
    uint32_t boot_device;
    uint32_t command_line;
    uint32_t module_count, modules;
    uint32_t symbols[4];
    uint32_t map_size, map; /* bytes, address */
    uint32_t drives_size, drives;
    uint32_t config_table;
    uint32_t loader_name;
};

struct multiboot_module {
    uint32_t start, end; /* first byte, and the one past the last */
    uint32_t name;
    uint32_t reserved;
};

#define MULTIBOOT_RAM 1 /* type; anything else is not ours */

struct multiboot_range {
    uint32_t size; /* of what follows: the next entry is at + size + 4 */
    uint64_t base, length;
    uint32_t type;
} PACKED;

/* Fills *boot from the loader's information at `info`, after checking it.
 * Returns NULL, or what is wrong with it. Keeps no copy: the tables stay where
 * they are and boot->range covers them. */
const char *multiboot_read(uint32_t magic, uint32_t info,
                           struct boot_info *boot);

/* Called by boot.asm with eax and ebx as the loader left them. Returns what
 * kmain is to be told; does not return if the kernel cannot run here. */
const struct boot_info *x86_start(uint32_t magic, uint32_t info);
