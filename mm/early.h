/* The boot-time allocator: bumps a pointer through one piece of free RAM until
 * the frame manager takes over. */
#pragma once

#include <oct/boot_info.h>

/* Chooses the largest usable run that the kernel will map directly. Panics with
 * a message if there is no memory map or less than `need` bytes in it. */
void early_init(const struct boot_info *boot, size_t need);

/* n pages in a row, zeroed, never freed. Panics when there is no room, and once
 * early_end has been called. Returns their physical address. */
paddr_t early_alloc_pages(size_t n);

/* Ends it. Returns the bytes it has handed out as one range, for the frame
 * manager to keep. */
struct mem_range early_end(void);
