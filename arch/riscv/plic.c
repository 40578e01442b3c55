/* The platform-level interrupt controller (RISC-V Platform-Level Interrupt
 * Controller Specification, "Memory Map"). A context is one hart in one
 * privilege mode; only the boot hart's S-mode is used. */
#include <arch/devices.h>
#include <oct/io.h>

#define PRIORITY(irq) (4ull * (irq))
#define ENABLE(context, irq) (0x2000ull + 0x80ull * (context) + (irq) / 32 * 4)
#define THRESHOLD(context) (0x200000ull + 0x1000ull * (context))
#define CLAIM(context) (THRESHOLD(context) + 4)

static volatile unsigned char *registers;
static uint32_t own;

static uint32_t get(uint64_t offset)
{
    return readl(registers + offset);
}

static void set(uint64_t offset, uint32_t value)
{
    writel(value, registers + offset);
}

uint64_t plic_span(const struct plic_info *info)
{
    return THRESHOLD(info->context + 1ull);
}

void plic_init(const struct plic_info *info, volatile void *regs, uint32_t irq)
{
    registers = regs;
    own = info->context;
    set(PRIORITY(irq), 1);
    set(ENABLE(own, irq), get(ENABLE(own, irq)) | 1u << irq % 32);
    set(THRESHOLD(own), 0);
}

uint32_t plic_claim(void)
{
    return registers ? get(CLAIM(own)) : 0;
}

void plic_complete(uint32_t irq)
{
    set(CLAIM(own), irq);
}
