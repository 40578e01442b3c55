/* The machine's memory as an ordered sequence of page-aligned runs, each of one
 * kind, derived on demand from the raw ranges of the firmware. */
#pragma once

#include <oct/boot_info.h>

/* The first run at or after `from` (page aligned) that is not MEM_NONE: as long
 * as the kind stays the same, and never across DIRECT_END or past what the page
 * table format can address. Usable RAM rounds in, everything else rounds out,
 * and of overlapping ranges the larger kind wins. false: nothing left. */
bool memmap_next(const struct boot_info *boot, paddr_t from,
                 struct mem_range *out);

/* "usable", "firmware", ... */
const char *memmap_kind_name(enum mem_kind kind);
