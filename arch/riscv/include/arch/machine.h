/* What the device tree says about the machine, found once at boot. A physical
 * base of 0 means that there is no such device. */
#pragma once

#include <oct/types.h>

struct boot_info;
struct fdt;
struct mem_range;

/* A UART of the 16550 family. */
struct uart_info {
    paddr_t base;
    uint64_t size;
    uint32_t shift; /* register i lies at i << shift */
    uint32_t width; /* bytes an access has */
    uint32_t irq;   /* its interrupt at the PLIC, or 0 */
};

/* The platform-level interrupt controller. */
struct plic_info {
    paddr_t base;
    uint64_t size;
    uint32_t context; /* of the boot hart's S-mode */
};

struct machine {
    const struct fdt *tree;
    unsigned long hart;                           /* that booted */
    uint32_t root, hart_node;                     /* nodes of the tree */
    uint32_t first_memory, last_memory, reserved; /* nodes, or 0 */
    uint64_t timebase;                            /* ticks of `time` a second */
    struct uart_info uart;
    struct plic_info plic;
    paddr_t test_device;
    paddr_t initrd;
    uint64_t initrd_size;
};

extern struct machine machine;

/* tree.c: fills all but tree and hart, which are given. Returns NULL, or why
 * the kernel cannot run on this machine. */
const char *tree_read(struct machine *m);

/* tree.c: true if the boot hart has the extension, as "sstc". */
bool tree_isa_has(const struct machine *m, const char *extension);

/* tree.c: true if the root's child `node` describes memory to use. */
bool tree_is_memory(const struct machine *m, uint32_t node);

/* memory.c: boot_info's range(), with a struct machine as the private part. */
bool memory_range(const struct boot_info *boot, size_t i,
                  struct mem_range *out);

/* memory.c: whether there is any at all. */
bool memory_is_known(const struct machine *m);

/* mmu.c: whether the hart has this kernel's page-table format. Leaves address
 * translation off, as it must be before. */
bool mmu_is_supported(void);
