/* The simulated machine: RAM and memory map. What the CPU caches is in
 * faketlb.c. All of RAM lies in one reservation of address space, holes
 * included, so that one offset leads from physical addresses to the host's. */
#define _GNU_SOURCE
#include "env.h"
#include "faketlb.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <arch/irq.h>
#include <oct/assert.h>
#include <oct/mmu.h>

#include "mm/early.h"
#include "mm/kheap.h"
#include "mm/paging.h"
#include "mm/percpu.h"
#include "mm/pmm.h"
#include "mm/slab.h"
#include "mm/vmap.h"

#define BANKS_MAX 16
#define RANGES_MAX 64
#define EARLY_NEED (512 * KiB)
#define HOST_CPUS 4

uintptr_t host_direct_offset;
unsigned host_cpu;
void (*host_on_flush)(const struct host_flush *f, bool after);

static struct host_bank banks[BANKS_MAX];
static size_t bank_count;
static char *reserved; /* the span from the lowest bank to the highest, */
static uint64_t reserved_size;
static int reserved_file = -1; /* whose contents are this file */

static paddr_t lowest_bank(void)
{
    paddr_t lowest = ~0ull;
    for (size_t i = 0; i < bank_count; i++)
        if (banks[i].base < lowest)
            lowest = banks[i].base;
    return lowest;
}

static uint64_t highest_end(void)
{
    uint64_t highest = 0;
    for (size_t i = 0; i < bank_count; i++)
        if (banks[i].base + banks[i].size > highest)
            highest = banks[i].base + banks[i].size;
    return highest;
}

static void reserve_span(paddr_t low, uint64_t size)
{
    if (reserved) {
        munmap(reserved, reserved_size);
        close(reserved_file);
    }
    reserved_file = memfd_create("oct RAM", 0);
    int failed = ftruncate(reserved_file, (off_t)size);
    assert(reserved_file >= 0 && !failed);
    reserved = mmap(NULL, size, PROT_NONE, MAP_SHARED | MAP_NORESERVE,
                    reserved_file, 0);
    assert(reserved != MAP_FAILED);
    reserved_size = size;
    host_direct_offset = (uintptr_t)reserved - low;
}

void host_ram(const struct host_bank *list, size_t n)
{
    assert(n > 0 && n <= BANKS_MAX);
    memcpy(banks, list, n * sizeof(*list));
    bank_count = n;
    reserve_span(lowest_bank(), highest_end() - lowest_bank());
    for (size_t i = 0; i < n; i++) {
        char *start = (char *)host_direct_offset + banks[i].base;
        int failed = mprotect(start, banks[i].size, PROT_READ | PROT_WRITE);
        assert(!failed);
    }
}

void *host_view(paddr_t pa, size_t size)
{
    for (size_t i = 0; i < bank_count; i++)
        if (pa >= banks[i].base && pa - banks[i].base < banks[i].size &&
            size <= banks[i].size - (pa - banks[i].base))
            return (void *)(uintptr_t)(host_direct_offset + pa);
    return NULL;
}

bool host_map_at(void *where, paddr_t pa, int prot)
{
    const char *page = host_view(pa, PAGE_SIZE);
    return page && mmap(where, PAGE_SIZE, prot, MAP_SHARED | MAP_FIXED,
                        reserved_file, page - reserved) != MAP_FAILED;
}

static struct mem_range told[RANGES_MAX];
static size_t told_count;

static bool tell_range(const struct boot_info *boot, size_t i,
                       struct mem_range *out)
{
    (void)boot;
    if (i >= told_count)
        return false;
    *out = told[i];
    return true;
}

const struct boot_info *host_boot(const struct mem_range *ranges, size_t n)
{
    static const struct boot_info boot = {
        .machine = "simulated",
        .loader = "tests/host",
        .command_line = "",
        .range = tell_range,
    };
    assert(n <= RANGES_MAX);
    memcpy(told, ranges, n * sizeof(*ranges));
    told_count = n;
    return &boot;
}

void host_start(const struct boot_info *boot)
{
    early_init(boot, EARLY_NEED);
    percpu_init(HOST_CPUS);
    pmm_init(boot);
    if (paging_create(&kernel_map))
        panic("host: no memory for the kernel's map");
    mmu_load(kernel_map.root);
    vmap_init();
    slab_init();
    kheap_init();
}

void host_machine(paddr_t base, size_t bytes)
{
    const struct host_bank bank = {base, bytes};
    const struct mem_range ranges[] = {
        {base, bytes, MEM_FREE},
        {base, 64 * KiB, MEM_FIRMWARE},
        {base + MiB, 300 * KiB, MEM_KERNEL},
    };
    host_ram(&bank, 1);
    host_start(host_boot(ranges, ARRAY_SIZE(ranges)));
}

void mmu_load(paddr_t root)
{
    tlb_forget(root);
}

void mmu_flush(paddr_t root, vaddr_t va, size_t len, size_t stride,
               unsigned what)
{
    struct host_flush f = {root, va, len, stride, what};
    if (host_on_flush)
        host_on_flush(&f, false);
    tlb_flush(root, va, len, stride, what);
    host_windows_flush(va, len);
    if (host_on_flush)
        host_on_flush(&f, true);
}
