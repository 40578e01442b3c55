/* The platform-level interrupt controller (RISC-V Platform-Level Interrupt
 * Controller Specification, "Memory Map"). A context is one hart in one
 * privilege mode; only the boot hart's S-mode is used. */
#include <arch/devices.h>

#define PRIORITY(irq) (4ull * (irq))
#define ENABLE(context, irq) (0x2000ull + 0x80ull * (context) + (irq) / 32 * 4)
#define THRESHOLD(context) (0x200000ull + 0x1000ull * (context))
#define CLAIM(context) (THRESHOLD(context) + 4)

static volatile unsigned char *registers;
static uint32_t own;

static volatile uint32_t *reg(uint64_t offset)
{
    return (volatile uint32_t *)(registers + offset);
}

uint64_t plic_span(const struct plic_info *info)
{
    return THRESHOLD(info->context + 1ull);
}

void plic_init(const struct plic_info *info, volatile void *regs, uint32_t irq)
{
    registers = regs;
    own = info->context;
    *reg(PRIORITY(irq)) = 1;
    *reg(ENABLE(own, irq)) |= 1u << irq % 32;
    *reg(THRESHOLD(own)) = 0;
}

uint32_t plic_claim(void)
{
    return registers ? *reg(CLAIM(own)) : 0;
}

void plic_complete(uint32_t irq)
{
    *reg(CLAIM(own)) = irq;
}
