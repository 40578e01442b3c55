/* What stands for the kernel around the core: where it prints, reports and
 * panics. Nothing here allocates: it may be called from within malloc. */
#include "lab/oct.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <oct/assert.h>
#include <oct/context.h>
#include <oct/print.h>
#include <oct/report.h>

enum { LINE = 256 };

static void (*on_report)(const char *line);
static unsigned long reports;

/* Nobody is left to tell if standard error cannot be written. */
static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return;
}

void kvprintf(const char *format, va_list args)
{
    char text[LINE];
    vsnprintf(text, sizeof(text), format, args);
    say(text);
}

void kprintf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    kvprintf(format, args);
    va_end(args);
}

void panic(const char *format, ...)
{
    char text[LINE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    kprintf("oct: panic: %s\n", text);
    abort();
}

void assert_failed(const char *what, const char *file, int line)
{
    panic("%s:%d: assertion failed: %s", file, line, what);
}

void oct_on_report(void (*to)(const char *line))
{
    __atomic_store_n(&on_report, to, __ATOMIC_RELEASE);
}

/* The caller that the core names is a function of the library. */
void report(vaddr_t caller, const char *format, ...)
{
    void (*to)(const char *) = __atomic_load_n(&on_report, __ATOMIC_ACQUIRE);
    char line[LINE];
    va_list args;
    (void)caller;
    __atomic_fetch_add(&reports, 1, __ATOMIC_RELAXED);
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (to)
        to(line);
    else
        kprintf("oct: %s\n", line);
}

unsigned long report_count(void)
{
    return __atomic_load_n(&reports, __ATOMIC_RELAXED);
}

/* Signal handlers do not allocate. */
bool in_interrupt(void)
{
    return false;
}

void let_others_run(void)
{
    sched_yield();
}
