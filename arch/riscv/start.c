/* The first C code: checks what the firmware hands over and goes on to kmain,
 * or says why not and stops. */
#include <arch/cpu.h>
#include <arch/entry.h>
#include <arch/machine.h>
#include <arch/sbi.h>
#include <oct/arch.h>
#include <oct/fdt.h>
#include <oct/print.h>

/* No tree is larger: it is to stop a wild length from being believed. */
#define MAX_TREE (2 * MiB)

struct machine machine;

/* Before the tree is read only the firmware can stop the machine, and it cannot
 * say that something was wrong: the line is what is left of it. */
static NORETURN void refuse(const char *why)
{
    kprintf("oct cannot run on this machine: %s\n", why);
    arch_poweroff(2);
}

static void read_machine(unsigned long hart, const void *tree)
{
    static struct fdt fdt;

    machine = (struct machine){.tree = &fdt, .hart = hart};
    if (fdt_check(&fdt, tree, MAX_TREE) != 0)
        refuse("the device tree is missing or damaged");
    const char *why = tree_read(&machine);
    if (why)
        refuse(why);
    if (!memory_is_known(&machine))
        refuse("the device tree has no memory");
    if (!mmu_is_supported())
        refuse("this CPU does not have the kernel's page-table format");
}

static const char *string_or(const char *path, const char *name,
                             const char *otherwise)
{
    uint32_t node = fdt_find_path(machine.tree, path);
    const char *s = fdt_string(machine.tree, node, name);
    return s ? s : otherwise;
}

void start(unsigned long hart, const void *tree)
{
    static struct boot_info boot;

    sbi_init();
    trap_init(hart);
    read_machine(hart, tree);
    boot = (struct boot_info){
        .machine = string_or("/", "model", "RISC-V machine"),
        .loader = sbi_firmware(),
        .command_line = string_or("/chosen", "bootargs", ""),
        .initrd = machine.initrd,
        .initrd_size = machine.initrd_size,
        .range = memory_range,
        .private = &machine,
    };
    kmain(&boot);
}
