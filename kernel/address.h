/* What an address means to a reader of the map. */
#pragma once

#include <oct/types.h>

/* What lies at this address of the kernel's space: "kernel text", "kernel
 * window", ...; never NULL. */
const char *address_owner(vaddr_t addr);

/* The rights as "rwxugd", a dash for each that is not granted. */
struct rights_text {
    char text[16];
};
struct rights_text rights_text(unsigned prot);

/* The rights that the kernel's page table grants there, or "not mapped"; "map
 * locked" if it cannot be asked now. */
struct rights_text address_rights(vaddr_t addr);
