#include "kernel/symbols.h"

#include <oct/arch.h>
#include <oct/image.h>
#include <oct/print.h>

#define LINES_MAX 32

static bool in_text(vaddr_t addr)
{
    return addr >= (vaddr_t)text_start && addr < (vaddr_t)text_end;
}

/* How many symbols lie at or below addr; they are in order. */
static size_t symbols_up_to(vaddr_t addr)
{
    size_t low = 0, high = symbol_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (symbols[middle].addr <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const char *symbol_find(vaddr_t addr, size_t *offset)
{
    if (!in_text(addr))
        return NULL;
    size_t n = symbols_up_to(addr);
    if (n == 0)
        return NULL;
    *offset = addr - symbols[n - 1].addr;
    return symbols[n - 1].name;
}

struct symbol_text symbol_text(vaddr_t addr)
{
    struct symbol_text out;
    size_t offset;
    const char *name = symbol_find(addr, &offset);
    if (name)
        snprintf(out.text, sizeof(out.text), "%s+0x%zx", name, offset);
    else
        snprintf(out.text, sizeof(out.text), "0x%08lx", (unsigned long)addr);
    return out;
}

static bool frame_valid(vaddr_t fp)
{
    const size_t word = sizeof(vaddr_t);
    return fp % word == 0 && fp >= (vaddr_t)stack_bottom + 4 * word &&
           fp <= (vaddr_t)stack_top - 4 * word;
}

/* Goes on to the caller; false: there is none. A caller's frame lies above, so
 * this ends however broken the stack is. */
static bool unwind(vaddr_t *fp, vaddr_t *pc)
{
    vaddr_t below = *fp;
    if (!frame_valid(*fp))
        return false;
    arch_unwind(fp, pc);
    return *fp > below && in_text(*pc);
}

void backtrace(vaddr_t pc, vaddr_t fp)
{
    bool more = true;
    for (unsigned line = 0; more && line < LINES_MAX; line++) {
        /* A return address may be the first byte of the next function. */
        size_t into_call = line > 0;
        vaddr_t here = pc;
        unsigned times = 0;
        for (; more && pc == here; times++)
            more = unwind(&fp, &pc);
        kprintf("  0x%08lx  %s", (unsigned long)here,
                symbol_text(here - into_call).text);
        if (times > 1)
            kprintf(", %u times", times);
        kprintf("\n");
    }
}
