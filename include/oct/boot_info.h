/* What the boot loader and firmware told a port, in one form for all ports.
 *
 * The memory map stays in the loader's own tables: `range` reads entry i where
 * it lies, so no table here bounds how many there are. Ranges may overlap, come
 * in any order and begin anywhere; mm/memmap.c makes sense of them. Whatever
 * the port's pointers point to must be covered by a range of kind MEM_BOOT. */
#pragma once

#include <oct/types.h>

/* What a range of physical addresses is. Where ranges overlap the one with the
 * larger kind wins. */
enum mem_kind {
    MEM_NONE,     /* no memory at all, or a device */
    MEM_FREE,     /* RAM to use */
    MEM_INITRD,   /* RAM that holds the initial RAM disk */
    MEM_BOOT,     /* RAM that holds loader tables, device tree, modules */
    MEM_KERNEL,   /* RAM that holds the kernel image */
    MEM_FIRMWARE, /* RAM or address space the kernel must not touch */
    MEM_KINDS
};

struct mem_range {
    paddr_t base;  /* first byte */
    uint64_t size; /* bytes; base + size may reach 2^64 and must be cut there */
    enum mem_kind kind;
};

struct boot_info {
    const char *machine; /* "PC" */
    const char *loader;  /* "GRUB 2.06", "OpenSBI 1.1" */
    const char *command_line;
    paddr_t initrd;       /* 0 if there is none */
    uint64_t initrd_size; /* bytes */
    /* Reads range i into *out; false when there are no more. */
    bool (*range)(const struct boot_info *, size_t i, struct mem_range *out);
    const void *private; /* the port's */
};
