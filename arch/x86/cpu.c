/* What the CPU can do, and this CPU's interrupts. */
#include <arch/cpu.h>
#include <oct/arch.h>

static uint32_t features[2]; /* CPUID.1:EDX, CPUID.80000001H:EDX */

static const struct {
    enum cpu_feature feature;
    const char *name;
} needs[] = {
    {CPU_TSC, "time stamp counter (TSC)"},
    {CPU_CMOV, "conditional moves (CMOV)"},
#ifdef MMU_PAE
    {CPU_PAE, "physical address extension (PAE)"},
    {CPU_CX8, "8-byte compare and exchange (CX8)"},
#else
    {CPU_PSE, "large pages (PSE)"},
#endif
};

/* SDM 1, 20.1.1: software that can flip EFLAGS.ID has a CPUID instruction. */
static bool has_cpuid(void)
{
    unsigned long before, after;

    asm volatile("pushfl; popl %0; movl %0, %1; xorl %2, %1;"
                 "pushl %1; popfl; pushfl; popl %1; pushl %0; popfl"
                 : "=&r"(before), "=&r"(after)
                 : "i"(EFLAGS_ID)
                 : "memory", "cc");
    return (before ^ after) & EFLAGS_ID;
}

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static struct cpuid cpuid(uint32_t leaf)
{
    struct cpuid r;

    asm volatile("cpuid"
                 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                 : "a"(leaf), "c"(0));
    return r;
}

const char *cpu_identify(void)
{
    if (!has_cpuid() || cpuid(0).eax < 1)
        return "CPUID instruction";
    features[0] = cpuid(1).edx;
    if (cpuid(0x80000000).eax >= 0x80000001)
        features[1] = cpuid(0x80000001).edx;
    for (size_t i = 0; i < ARRAY_SIZE(needs); i++)
        if (!cpu_has(needs[i].feature))
            return needs[i].name;
    return NULL;
}

bool cpu_has(enum cpu_feature feature)
{
    return features[feature / 32] >> feature % 32 & 1;
}

void arch_irq_enable(void)
{
    asm volatile("sti" : : : "memory", "cc");
}

/* sti holds interrupts off for one more instruction: none can slip between. */
void arch_idle(void)
{
    asm volatile("sti; hlt" : : : "memory", "cc");
}

uint64_t arch_counter(void)
{
    uint64_t ticks;

    asm volatile("rdtsc" : "=A"(ticks) : : "memory");
    return ticks;
}

/* [fp] is the caller's frame pointer, [fp + 4] the return address. */
void arch_unwind(vaddr_t *fp, vaddr_t *pc)
{
    const vaddr_t *frame = (const vaddr_t *)*fp;

    *fp = frame[0];
    *pc = frame[1];
}
