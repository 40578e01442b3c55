/* The firmware's services. Bytes go out one a call: the call that takes a
 * buffer wants its physical address, which a string in a mapped window does not
 * show, and the UART takes over long before speed matters. */
#include <arch/sbi.h>
#include <oct/print.h>

/* Base extension: functions and implementation numbers. */
enum { GET_IMPL_ID = 1, GET_IMPL_VERSION = 2, PROBE_EXTENSION = 3 };
enum { IMPL_OPENSBI = 1 };

/* Debug console extension. */
enum { DEBUG_READ = 1, DEBUG_WRITE_BYTE = 2 };

struct sbi_result {
    long error; /* legacy calls: the value */
    unsigned long value;
};

static bool has_time, has_debug_console;

/* The firmware keeps all registers but a0 and a1. */
static struct sbi_result call(unsigned long extension, unsigned long function,
                              unsigned long arg0, unsigned long arg1,
                              unsigned long arg2)
{
    register unsigned long a0 __asm__("a0") = arg0;
    register unsigned long a1 __asm__("a1") = arg1;
    register unsigned long a2 __asm__("a2") = arg2;
    register unsigned long a6 __asm__("a6") = function;
    register unsigned long a7 __asm__("a7") = extension;

    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1)
                     : "r"(a2), "r"(a6), "r"(a7)
                     : "memory");
    return (struct sbi_result){(long)a0, a1};
}

static unsigned long base(unsigned long function, unsigned long arg)
{
    struct sbi_result r = call(SBI_BASE, function, arg, 0, 0);
    return r.error ? 0 : r.value;
}

void sbi_init(void)
{
    has_time = base(PROBE_EXTENSION, SBI_TIME);
    has_debug_console = base(PROBE_EXTENSION, SBI_DBCN);
}

const char *sbi_firmware(void)
{
    static const char *const names[] = {
        "BBL",    "OpenSBI", "Xvisor",        "KVM",      "RustSBI", "Diosix",
        "Coffer", "Xen",     "PolarFire HSS", "coreboot", "oreboot", "bhyve",
    };
    static char text[48];
    unsigned long id = base(GET_IMPL_ID, 0);
    unsigned long version = base(GET_IMPL_VERSION, 0);
    const char *name = id < ARRAY_SIZE(names) ? names[id] : "SBI firmware";

    if (id == IMPL_OPENSBI)
        snprintf(text, sizeof(text), "%s %lu.%lu", name, version >> 16,
                 version & 0xffff);
    else
        snprintf(text, sizeof(text), "%s version %#lx", name, version);
    return text;
}

void sbi_put(char c)
{
    if (has_debug_console)
        call(SBI_DBCN, DEBUG_WRITE_BYTE, (unsigned char)c, 0, 0);
    else
        call(SBI_LEGACY_PUTCHAR, 0, (unsigned char)c, 0, 0);
}

/* The debug console reads into memory, at a physical address: a static byte's,
 * as the kernel runs where it lies. */
static int debug_get(void)
{
    static volatile unsigned char byte;
    struct sbi_result r = call(SBI_DBCN, DEBUG_READ, 1, (vaddr_t)&byte, 0);
    return r.error == 0 && r.value == 1 ? byte : -1;
}

int sbi_get(void)
{
    if (has_debug_console)
        return debug_get();
    return (int)call(SBI_LEGACY_GETCHAR, 0, 0, 0, 0).error;
}

void sbi_set_timer(uint64_t when)
{
    unsigned long extension = has_time ? SBI_TIME : SBI_LEGACY_SET_TIMER;
    /* A 64-bit argument takes two registers where they are narrower. */
    unsigned long high = sizeof(long) == 8 ? 0 : (unsigned long)(when >> 32);
    call(extension, 0, (unsigned long)when, high, 0);
}
