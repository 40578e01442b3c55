#include "kernel/console.h"

#include <oct/arch.h>
#include <oct/lock.h>
#include <oct/print.h>
#include <oct/string.h>

static struct lock lock;
static const char *prefix;       /* guarded by lock */
static bool line_begun;          /* guarded by lock */
static volatile bool last_words; /* set once, by the CPU that stops all */

static void write_in_line(const char *s, size_t n)
{
    if (!line_begun && prefix)
        arch_console_write(prefix, strlen(prefix));
    arch_console_write(s, n);
    line_begun = s[n - 1] != '\n';
}

static void put_on_console(void *context, const char *s, size_t n)
{
    (void)context;
    while (n > 0) {
        const char *end = memchr(s, '\n', n);
        size_t length = end ? (size_t)(end - s) + 1 : n;
        write_in_line(s, length);
        s += length;
        n -= length;
    }
}

void kvprintf(const char *format, va_list args)
{
    bool locking = !last_words;
    if (locking)
        lock_acquire(&lock);
    print_to(put_on_console, NULL, format, args);
    if (locking)
        lock_release(&lock);
}

void kprintf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    kvprintf(format, args);
    va_end(args);
}

void console_set_prefix(const char *new_prefix)
{
    lock_acquire(&lock);
    if (line_begun)
        write_in_line("\n", 1);
    prefix = new_prefix;
    lock_release(&lock);
}

void console_last_words(void)
{
    last_words = true;
    prefix = NULL;
    kprintf("%s" PLAIN, line_begun ? "\n" : "");
}

/* Interrupts are off from the look to the wait, so that the one which brings
 * the byte cannot slip in between and leave the CPU asleep. */
int console_getc(void)
{
    int c;
    unsigned long state = arch_irq_save();
    while ((c = arch_console_read()) < 0) {
        arch_idle();
        (void)arch_irq_save();
    }
    arch_irq_restore(state);
    return c;
}

struct size_text size_text(uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB",
                                        "TiB",   "PiB", "EiB"};
    struct size_text out;
    unsigned unit = 0;
    while (bytes >= 10000 || (bytes >= 1024 && bytes % 1024 == 0)) {
        bytes /= 1024;
        unit++;
    }
    snprintf(out.text, sizeof(out.text), "%u %s", (unsigned)bytes, units[unit]);
    return out;
}
