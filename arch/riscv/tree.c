/* From the device tree to struct machine. Bindings are those of the Devicetree
 * Specification v0.4 and, for what it leaves out, of the Linux kernel's
 * Documentation/devicetree/bindings. */
#include <arch/machine.h>
#include <oct/fdt.h>
#include <oct/string.h>

enum { S_EXTERNAL = 9 };                       /* interrupt cause */
enum { MAX_IRQ = 1023, MAX_CONTEXTS = 15872 }; /* of a PLIC */
enum { MIN_TIMEBASE = 1000 }; /* arch_timer_start's fastest ticks */

static const char *const uarts[] = {"ns16550a", "ns16550"};
static const char *const plics[] = {"riscv,plic0", "sifive,plic-1.0.0"};
static const char *const tests[] = {"sifive,test1", "sifive,test0"};

/* The first range of a node's `reg`; false if there is none. */
static bool first_range(const struct fdt *tree, uint32_t node, paddr_t *base,
                        uint64_t *size)
{
    uint64_t start;
    uint32_t parent = fdt_parent(tree, node);

    if (!node || fdt_reg(tree, parent, node, 0, &start, size) != 0)
        return false;
    *base = start;
    return true;
}

/* The first enabled node compatible with one of the `count` names. */
static uint32_t find_device(const struct fdt *tree, const char *const *names,
                            size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t node = 0;
        while ((node = fdt_find_compatible(tree, node, names[i])))
            if (fdt_is_enabled(tree, node))
                return node;
    }
    return 0;
}

static uint32_t cell_or(const struct fdt *tree, uint32_t node, const char *name,
                        size_t i, uint32_t otherwise)
{
    uint32_t value;
    return fdt_cell(tree, node, name, i, &value) ? value : otherwise;
}

/* --- harts --- */

/* The id is the node's address; its reg has no size. */
static void find_hart(struct machine *m)
{
    uint32_t cpus = fdt_find_path(m->tree, "/cpus"), node = 0;
    uint64_t id, none;

    while ((node = fdt_next_child(m->tree, cpus, node)))
        if (fdt_has_string(m->tree, node, "device_type", "cpu") &&
            fdt_reg(m->tree, cpus, node, 0, &id, &none) == 0 && id == m->hart)
            m->hart_node = node;
}

/* In /cpus if all harts share it, else in the hart (3.8.1). */
static void find_timebase(struct machine *m)
{
    uint32_t cpus = fdt_find_path(m->tree, "/cpus");
    if (!fdt_number(m->tree, m->hart_node, "timebase-frequency", &m->timebase))
        fdt_number(m->tree, cpus, "timebase-frequency", &m->timebase);
}

/* True if `isa`, as "rv64imac_zicsr_sstc", has the extension of several letters
 * that `name` says. */
static bool isa_string_has(const char *isa, const char *name)
{
    size_t length = strlen(name);

    while ((isa = strchr(isa, '_')) != NULL) {
        isa++;
        if (strncmp(isa, name, length) == 0 &&
            (isa[length] == '_' || isa[length] == '\0'))
            return true;
    }
    return false;
}

bool tree_isa_has(const struct machine *m, const char *extension)
{
    const char *isa = fdt_string(m->tree, m->hart_node, "riscv,isa");
    return fdt_has_string(m->tree, m->hart_node, "riscv,isa-extensions",
                          extension) ||
           (isa && isa_string_has(isa, extension));
}

/* --- devices --- */

static uint32_t find_console(const struct fdt *tree)
{
    uint32_t chosen = fdt_find_path(tree, "/chosen");
    const char *path = fdt_string(tree, chosen, "stdout-path");
    uint32_t node = path ? fdt_find_path(tree, path) : 0;

    for (size_t i = 0; node && i < ARRAY_SIZE(uarts); i++)
        if (fdt_has_string(tree, node, "compatible", uarts[i]))
            return node;
    return find_device(tree, uarts, ARRAY_SIZE(uarts));
}

/* A device's first interrupt: a cell of `interrupts`, or a controller and a
 * cell of `interrupts-extended` (2.4.1). */
static uint32_t first_interrupt(const struct fdt *tree, uint32_t node)
{
    uint32_t extended = cell_or(tree, node, "interrupts-extended", 1, 0);
    uint32_t irq = cell_or(tree, node, "interrupts", 0, extended);
    return irq <= MAX_IRQ ? irq : 0;
}

static void find_uart(struct machine *m)
{
    const struct fdt *tree = m->tree;
    uint32_t node = find_console(tree);
    struct uart_info u = {
        .shift = cell_or(tree, node, "reg-shift", 0, 0),
        .width = cell_or(tree, node, "reg-io-width", 0, 1),
        .irq = first_interrupt(tree, node),
    };

    if (first_range(tree, node, &u.base, &u.size) && u.shift <= 4 &&
        (u.width == 1 || u.width == 4) && u.size >= 8ull << u.shift)
        m->uart = u;
}

/* A hart's own interrupt controller is a child of its node. */
static uint32_t hart_phandle(const struct machine *m)
{
    uint32_t node = 0, phandle = 0;

    while ((node = fdt_next_child(m->tree, m->hart_node, node)))
        if (fdt_has_string(m->tree, node, "compatible", "riscv,cpu-intc"))
            fdt_cell(m->tree, node, "phandle", 0, &phandle);
    return phandle;
}

/* The PLIC's contexts are the entries of interrupts-extended, in order: a
 * hart's controller and the interrupt raised there, 11 for M-mode, 9 for S-mode
 * (sifive,plic-1.0.0.yaml). */
static bool find_context(const struct machine *m, uint32_t plic, uint32_t *out)
{
    static const char name[] = "interrupts-extended";
    uint32_t hart = hart_phandle(m), phandle, irq;

    for (uint32_t i = 0; i < MAX_CONTEXTS; i++) {
        if (!fdt_cell(m->tree, plic, name, 2 * i, &phandle) ||
            !fdt_cell(m->tree, plic, name, 2 * i + 1, &irq))
            return false;
        if (phandle == hart && irq == S_EXTERNAL) {
            *out = i;
            return true;
        }
    }
    return false;
}

static void find_plic(struct machine *m)
{
    uint32_t node = find_device(m->tree, plics, ARRAY_SIZE(plics));
    struct plic_info p = {0};

    if (first_range(m->tree, node, &p.base, &p.size) &&
        find_context(m, node, &p.context))
        m->plic = p;
}

/* It is written to with translation off, so its address must be a word. Other
 * syscon devices are left to the firmware: they take no status. */
static void find_test_device(struct machine *m)
{
    uint32_t node = find_device(m->tree, tests, ARRAY_SIZE(tests));
    paddr_t base;
    uint64_t size;

    if (first_range(m->tree, node, &base, &size) && base == (unsigned long)base)
        m->test_device = base;
}

/* --- memory --- */

/* A node of this type says what memory there is (3.4). */
static void find_memory(struct machine *m)
{
    uint32_t node = 0;

    while ((node = fdt_next_child(m->tree, m->root, node)))
        if (tree_is_memory(m, node)) {
            if (!m->first_memory)
                m->first_memory = node;
            m->last_memory = node;
        }
}

bool tree_is_memory(const struct machine *m, uint32_t node)
{
    return fdt_has_string(m->tree, node, "device_type", "memory") &&
           fdt_is_enabled(m->tree, node);
}

static void find_initrd(struct machine *m)
{
    uint32_t chosen = fdt_find_path(m->tree, "/chosen");
    uint64_t start, end;

    if (!fdt_number(m->tree, chosen, "linux,initrd-start", &start) ||
        !fdt_number(m->tree, chosen, "linux,initrd-end", &end) || start >= end)
        return;
    m->initrd = start;
    m->initrd_size = end - start;
}

const char *tree_read(struct machine *m)
{
    m->root = fdt_find_path(m->tree, "/");
    m->reserved = fdt_find_path(m->tree, "/reserved-memory");
    find_test_device(m); /* first, for it can say how the rest went */
    find_hart(m);
    find_timebase(m);
    find_uart(m);
    find_plic(m);
    find_memory(m);
    find_initrd(m);
    if (!m->hart_node)
        return "the device tree does not have the hart that booted";
    if (m->timebase < MIN_TIMEBASE)
        return "the device tree does not have the timer's frequency";
    return NULL;
}
