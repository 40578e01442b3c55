/* The kernel's own map: built once at boot from a table of rows. */
#pragma once

#include <oct/boot_info.h>
#include <oct/types.h>

struct kmap_row {
    const char *name;
    vaddr_t va;
    paddr_t pa;
    size_t len;
    unsigned prot;
};

/* Builds kernel_map from the image's sections, the direct map of RAM and the
 * port's fixed devices, and switches to it. Panics if there is no memory. */
void kmap_init(const struct boot_info *boot);

/* The first row at or after the physical address `from`; false past the last.
 * The rows are derived from *boot and the linker's symbols each time. */
bool kmap_next(const struct boot_info *boot, paddr_t from,
               struct kmap_row *out);

/* Prints the rows as a table. */
void kmap_print(const struct boot_info *boot);
