#include "kernel/panic.h"
#include "kernel/console.h"
#include "kernel/symbols.h"

#include <oct/arch.h>
#include <oct/assert.h>
#include <oct/print.h>

#define STATUS_PANIC 2

/* The caller's frame pointer; only good as an argument in panic() and kin. */
#define FRAME ((vaddr_t)__builtin_frame_address(0))

static bool panicking;

PRINTF(3, 0)
static NORETURN void stop(vaddr_t pc, vaddr_t fp, const char *format,
                          va_list args)
{
    (void)arch_irq_save();
    if (__atomic_test_and_set(&panicking, __ATOMIC_RELAXED)) {
        arch_console_write("\npanic in panic\n", 16);
        arch_poweroff(STATUS_PANIC);
    }
    console_last_words();
    kprintf(BOLD RED "panic:" PLAIN " ");
    kvprintf(format, args);
    kprintf("\n");
    backtrace(pc, fp);
    arch_poweroff(STATUS_PANIC);
}

void panic_at(vaddr_t pc, vaddr_t fp, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    stop(pc, fp, format, args);
}

void panic(const char *format, ...)
{
    vaddr_t pc, fp = FRAME;
    va_list args;
    arch_unwind(&fp, &pc);
    va_start(args, format);
    stop(pc - 1, fp, format, args); /* within the call */
}

void assert_failed(const char *what, const char *file, int line)
{
    vaddr_t pc, fp = FRAME;
    arch_unwind(&fp, &pc);
    panic_at(pc - 1, fp, "%s:%d: %s does not hold", file, line, what);
}
