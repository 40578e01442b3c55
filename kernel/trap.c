#include "kernel/trap.h"
#include "kernel/address.h"
#include "kernel/panic.h"
#include "kernel/symbols.h"

#include <oct/arch.h>
#include <oct/context.h>
#include <oct/image.h>
#include <oct/print.h>
#include <oct/report.h>

/* What trap_try left to come back to. They form a stack through `outer`; the
 * innermost catches. */
struct attempt {
    void *place[5]; /* as __builtin_setjmp wants it */
    struct attempt *outer;
    struct trap *fault;
};

static struct attempt *volatile innermost;
static volatile unsigned long ticks;
static void (*volatile on_tick)(void);
static volatile bool interrupted; /* an interrupt is being handled */

/* Not inlined: the place to come back to lives in this very frame. */
__attribute__((noinline)) bool trap_try(void (*fn)(void *), void *arg,
                                        struct trap *fault)
{
    struct attempt attempt = {.outer = innermost, .fault = fault};
    volatile unsigned long irq = arch_irq_save();
    volatile bool done = false;
    arch_irq_restore(irq);
    if (__builtin_setjmp(attempt.place) == 0) {
        innermost = &attempt;
        fn(arg);
        done = true;
    }
    innermost = attempt.outer;
    (void)arch_irq_save();
    arch_irq_restore(irq);
    return done;
}

static NORETURN void abandon(struct attempt *attempt, const struct trap *t)
{
    if (attempt->fault)
        *attempt->fault = *t;
    __builtin_longjmp(attempt->place, 1);
}

static const char *access_name(enum trap_access access)
{
    static const char *const names[] = {
        [ACCESS_READ] = "read of",
        [ACCESS_WRITE] = "write to",
        [ACCESS_EXECUTE] = "execution at",
        [ACCESS_UNKNOWN] = "access to",
    };
    return names[access];
}

static bool in_stack_guard(vaddr_t addr)
{
    return addr >= (vaddr_t)stack_guard && addr < (vaddr_t)stack_bottom;
}

static const char *fault_name(const struct trap *t)
{
    if (t->kind == TRAP_FAULT)
        return "page fault";
    return in_stack_guard(t->addr) ? "kernel stack overflow"
                                   : "fault without a stack";
}

struct trap_text trap_text(const struct trap *t)
{
    struct trap_text out;
    struct symbol_text where = symbol_text(t->pc);
    unsigned long addr = t->addr;
    int n;
    if (t->kind == TRAP_EXCEPTION)
        n = snprintf(out.text, sizeof(out.text), "exception at %s\n",
                     where.text);
    else
        n = snprintf(out.text, sizeof(out.text),
                     "%s: %s 0x%08lx at %s\n  0x%08lx is %s, %s\n",
                     fault_name(t), access_name(t->access), addr, where.text,
                     addr, address_owner(addr), address_rights(addr).text);
    snprintf(out.text + n, sizeof(out.text) - (size_t)n,
             "  %s in %s mode, code 0x%lx, detail 0x%lx", t->name,
             t->user ? "user" : "kernel", t->code, t->info);
    return out;
}

static NORETURN void give_up(const struct trap *t)
{
    panic_at(t->pc, t->fp, "%s", trap_text(t).text);
}

static void handle_interrupt(const struct trap *t)
{
    interrupted = true;
    if (t->kind == TRAP_TIMER) {
        ticks = ticks + 1;
        if (on_tick)
            on_tick();
    } else if (t->kind == TRAP_SPURIOUS) {
        report(t->pc, "interrupt nobody asked for: %s (0x%lx)", t->name,
               t->code);
    } /* TRAP_CONSOLE: whoever waits for input looks again */
    interrupted = false;
}

void trap_dispatch(struct trap *t)
{
    switch (t->kind) {
    case TRAP_FAULT:
    case TRAP_EXCEPTION:
        if (innermost && !t->user)
            abandon(innermost, t);
        give_up(t);
    case TRAP_DOUBLE:
        give_up(t);
    case TRAP_TIMER:
    case TRAP_CONSOLE:
    case TRAP_SPURIOUS:
        handle_interrupt(t);
        break;
    }
}

bool in_interrupt(void)
{
    return interrupted;
}

void let_others_run(void)
{
    arch_idle();
}

void trap_on_tick(void (*fn)(void))
{
    on_tick = fn;
}

unsigned long trap_ticks(void)
{
    return ticks;
}

struct probe {
    vaddr_t addr;
    volatile uint8_t byte;
};

static void read_byte(void *arg)
{
    struct probe *p = arg;
    p->byte = *(const volatile uint8_t *)p->addr;
}

static void write_byte(void *arg)
{
    struct probe *p = arg;
    *(volatile uint8_t *)p->addr = p->byte;
}

static void execute(void *arg)
{
    struct probe *p = arg;
    ((void (*)(void))p->addr)();
}

bool probe_read(vaddr_t addr, uint8_t *byte)
{
    struct probe p = {addr, 0};
    bool done = trap_try(read_byte, &p, NULL);
    if (done)
        *byte = p.byte;
    return done;
}

bool probe_write(vaddr_t addr, uint8_t byte)
{
    struct probe p = {addr, byte};
    return trap_try(write_byte, &p, NULL);
}

bool probe_execute(vaddr_t addr)
{
    struct probe p = {addr, 0};
    return trap_try(execute, &p, NULL);
}
