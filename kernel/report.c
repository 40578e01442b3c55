#include "kernel/symbols.h"

#include <oct/print.h>
#include <oct/report.h>

static unsigned long count;

void report(vaddr_t caller, const char *format, ...)
{
    va_list args;
    __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    kprintf("oct: ");
    va_start(args, format);
    kvprintf(format, args);
    va_end(args);
    if (caller)
        kprintf(" [by %s]\n", symbol_text(caller).text);
    else
        kprintf("\n");
}

unsigned long report_count(void)
{
    return __atomic_load_n(&count, __ATOMIC_RELAXED);
}
