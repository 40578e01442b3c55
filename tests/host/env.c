#include "env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <oct/assert.h>
#include <oct/context.h>
#include <oct/lock.h>
#include <oct/print.h>
#include <oct/report.h>

bool host_verbose;
bool host_interrupt;
void (*host_others)(void);

/* The variable that arch/x86's mmu.c sets from CPUID; PAE's pte.h reads it. */
extern uint64_t pte_nx;
uint64_t pte_nx = 1ull << 63;

static unsigned long reports;
static jmp_buf *panic_handler;
static char panic_text[512];

unsigned long host_number(const char *variable, unsigned long otherwise)
{
    const char *value = getenv(variable);
    return value && *value ? strtoul(value, NULL, 0) : otherwise;
}

/* xorshift64* */
uint64_t host_random(uint64_t *state)
{
    uint64_t x = *state ? *state : 0x9e3779b97f4a7c15ull;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545f4914f6cdd1dull;
}

uint64_t host_below(uint64_t *state, uint64_t n)
{
    return (host_random(state) >> 16) % n;
}

void host_set_nx(bool on)
{
    pte_nx = on ? 1ull << 63 : 0;
}

const char *host_panic_of(void (*body)(void *), void *argument)
{
    jmp_buf here;
    jmp_buf *outer = panic_handler;
    const char *volatile message = NULL;
    panic_handler = &here;
    if (setjmp(here) == 0)
        body(argument);
    else
        message = panic_text;
    panic_handler = outer;
    return message;
}

NORETURN static void stop(void)
{
    if (panic_handler)
        longjmp(*panic_handler, 1);
    fflush(stdout);
    fprintf(stderr, "panic: %s\n", panic_text);
    abort();
}

void panic(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(panic_text, sizeof(panic_text), format, args);
    va_end(args);
    stop();
}

void assert_failed(const char *what, const char *file, int line)
{
    panic("%s:%d: assertion failed: %s", file, line, what);
}

void kvprintf(const char *format, va_list args)
{
    if (host_verbose)
        vprintf(format, args);
}

void kprintf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    kvprintf(format, args);
    va_end(args);
}

void report(vaddr_t caller, const char *format, ...)
{
    va_list args;
    (void)caller;
    reports++;
    va_start(args, format);
    kprintf("# report: ");
    kvprintf(format, args);
    kprintf("\n");
    va_end(args);
}

unsigned long report_count(void)
{
    return reports;
}

void lock_acquire(struct lock *l)
{
    assert(!lock_held(l));
    l->held = true;
}

void lock_release(struct lock *l)
{
    assert(lock_held(l));
    l->held = false;
}

bool lock_try(struct lock *l)
{
    bool got = !lock_held(l);
    l->held = true;
    return got;
}

bool in_interrupt(void)
{
    return host_interrupt;
}

void let_others_run(void)
{
    if (host_others)
        host_others();
}
