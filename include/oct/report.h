/* Complaints that are not the end: a wrong free, a failed allocation. The
 * memory manager calls, the kernel (or a test) says where it goes. */
#pragma once

#include <oct/types.h>

/* Prints one line, with the function that `caller` lies in (0: none), and
 * counts it. Safe anywhere, with any lock held. */
void report(vaddr_t caller, const char *format, ...) PRINTF(2, 3);

/* How many there have been. */
unsigned long report_count(void);
