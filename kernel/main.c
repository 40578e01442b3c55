/* The way from the port's first C code to a prompt, and what is said on it. */
#include "kernel/address.h"
#include "kernel/cmdline.h"
#include "kernel/console.h"
#include "kernel/ktrace.h"
#include "kernel/shell.h"
#include "kernel/trap.h"
#include "mm/early.h"
#include "mm/kheap.h"
#include "mm/kmap.h"
#include "mm/memmap.h"
#include "mm/paging.h"
#include "mm/percpu.h"
#include "mm/pmm.h"
#include "mm/slab.h"
#include "mm/vmap.h"

#include <oct/arch.h>
#include <oct/print.h>
#include <oct/report.h>

#define MEMORY_NEEDED MiB

static void heading(const char *text)
{
    kprintf("\n" BOLD "%s" PLAIN "\n", text);
}

static void print_format(void)
{
    kprintf("  format    %s: %d levels, pages of", mmu_name, PT_LEVELS);
    for (unsigned level = 0; level <= PT_MAX_LEAF; level++)
        kprintf("%s %s", level ? "," : "", size_text(paging_span(level)).text);
    kprintf("\n  features  %s\n", arch_mmu_features());
}

static void print_banner(const struct boot_info *boot)
{
    kprintf(BOLD "oct" PLAIN ", a small kernel about memory\n\n");
    kprintf("  machine   %s (%s)\n", boot->machine, arch_name);
    kprintf("  loader    %s\n", boot->loader);
    kprintf("  words     \"%s\"\n", boot->command_line);
    print_format();
}

static void print_memory(const struct boot_info *boot)
{
    struct mem_range r;
    heading("Memory that the firmware described");
    for (paddr_t at = 0; memmap_next(boot, at, &r); at = r.base + r.size)
        kprintf("  0x%012llx .. 0x%012llx  %10s  %s\n", r.base,
                r.base + r.size - 1, size_text(r.size).text,
                memmap_kind_name(r.kind));
}

static void print_frames(void)
{
    struct frames_stats s;
    pmm_stats(&s);
    kprintf("  %s of RAM, ", size_text((uint64_t)s.total * PAGE_SIZE).text);
    kprintf("%s of them free; ", size_text((uint64_t)s.free * PAGE_SIZE).text);
    kprintf("%s describe it\n", size_text(s.table_bytes).text);
}

static void start_devices(void)
{
    int error = arch_init_devices(ioremap);
    if (error)
        report(0, "devices: error %d; going on without them", -error);
    arch_irq_enable();
    arch_timer_start(TICKS_PER_SECOND);
}

void kmain(const struct boot_info *boot)
{
    print_banner(boot);
    print_memory(boot);

    cmdline_early(boot->command_line);
    early_init(boot, MEMORY_NEEDED);
    percpu_init(1);
    pmm_init(boot);
    print_frames();

    heading("The kernel's map");
    kmap_init(boot);
    kmap_print(boot);
    vmap_init();
    slab_init();
    kheap_init();
    ktrace_init(boot);

    start_devices();
    cmdline_run(boot->command_line);
    shell_run();
}
