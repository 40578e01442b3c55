/* From the loader's jump to kmain: a console first, so that whatever is wrong
 * can be said; then traps; then the CPU and the loader are looked at. A machine
 * that cannot run this kernel is told so and turned off: it never hangs. */
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/mmu.h>
#include <arch/multiboot.h>
#include <arch/pic.h>
#include <arch/segments.h>
#include <oct/arch.h>
#include <oct/string.h>

const char arch_name[] = "x86";

static void say(const char *s)
{
    arch_console_write(s, strlen(s));
}

static NORETURN void refuse(const char *what, const char *why)
{
    say("oct cannot run on this machine: ");
    say(what);
    say(why);
    say("\n");
    arch_poweroff(2);
}

const struct boot_info *x86_start(uint32_t magic, uint32_t info)
{
    static struct boot_info boot;
    const char *wrong;

    console_init();
    segments_init();
    pic_init();
    if ((wrong = cpu_identify()))
        refuse("the CPU has no ", wrong);
    mmu_detect();
    if ((wrong = multiboot_read(magic, info, &boot)))
        refuse("boot loader: ", wrong);
    return &boot;
}

int arch_init_devices(void *(*ioremap)(paddr_t pa, size_t size))
{
    (void)ioremap; /* all are behind ports, or in low memory */
    console_listen();
    return 0;
}
