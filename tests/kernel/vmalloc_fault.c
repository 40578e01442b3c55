/* What the CPU says to pages that are not there, or not any more. */
#include "kernel/trap.h"
#include "mm/paging.h"
#include "mm/pmm.h"
#include "mm/vmalloc.h"
#include "tests/kernel/support.h"

TEST(vmalloc_guard_faults)
{
    uint8_t byte;
    char *p = vmalloc(2 * PAGE_SIZE);
    EXPECT(p);
    vaddr_t first = (vaddr_t)p, end = first + 2 * PAGE_SIZE;
    EXPECT(probe_write(first, 1) && probe_write(end - 1, 2));
    EXPECT(!probe_read(end, &byte) && !probe_write(end, 3));
    EXPECT(!probe_read(first - 1, &byte));
    if (!(PT_PROT_ALWAYS & P_EXEC))
        EXPECT(!probe_execute(first));
    vfree(p);
}

/* The translation is used, so that it is cached, and must be gone. */
TEST(vmalloc_freed_faults)
{
    uint8_t byte;
    char *p = vmalloc(70 * PAGE_SIZE);
    EXPECT(p);
    for (size_t i = 0; i < 70; i++)
        EXPECT(probe_write((vaddr_t)p + i * PAGE_SIZE, 1));
    vfree(p);
    for (size_t i = 0; i < 70; i++)
        EXPECT(!probe_read((vaddr_t)p + i * PAGE_SIZE, &byte));
}
