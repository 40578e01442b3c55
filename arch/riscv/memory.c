/* boot_info's view of memory. Nothing is copied: range i is looked up in the
 * device tree each time. The ranges are the entries of several lists, one after
 * the other; each list takes off its length from *i when i lies behind it. */
#include <arch/machine.h>
#include <oct/boot_info.h>
#include <oct/fdt.h>
#include <oct/image.h>

/* The entries of one node's `reg`. */
static bool node_range(const struct fdt *tree, uint32_t parent, uint32_t node,
                       size_t *i, struct mem_range *out)
{
    uint64_t base;
    size_t count = fdt_reg_count(tree, parent, node);

    if (*i < count && fdt_reg(tree, parent, node, *i, &base, &out->size) == 0) {
        out->base = base;
        return true;
    }
    *i -= count;
    return false;
}

/* Memory nodes: there may be several, of several banks each. The walk does not
 * go on to the end of the tree, because it is made often. */
static bool bank(const struct machine *m, size_t *i, struct mem_range *out)
{
    uint32_t node = m->first_memory;

    out->kind = MEM_FREE;
    for (; node && node <= m->last_memory;
         node = fdt_next_child(m->tree, m->root, node))
        if (tree_is_memory(m, node) &&
            node_range(m->tree, m->root, node, i, out))
            return true;
    return false;
}

/* The memory reservation block (5.3). */
static bool reservation(const struct machine *m, size_t *i,
                        struct mem_range *out)
{
    uint64_t base;
    size_t count = 0;

    out->kind = MEM_FIRMWARE;
    while (fdt_reservation(m->tree, count, &base, &out->size))
        if (count++ == *i) {
            out->base = base;
            return true;
        }
    *i -= count;
    return false;
}

/* /reserved-memory (3.5). Children without `reg` ask for room anywhere, for
 * drivers that are not here. */
static bool reserved_node(const struct machine *m, size_t *i,
                          struct mem_range *out)
{
    uint32_t node = 0;

    out->kind = MEM_FIRMWARE;
    while ((node = fdt_next_child(m->tree, m->reserved, node)))
        if (node_range(m->tree, m->reserved, node, i, out))
            return true;
    return false;
}

/* A list of one range, or of none if its size is 0. */
static bool one(size_t *i, struct mem_range *out, struct mem_range range)
{
    if (range.size == 0)
        return false;
    *out = range;
    return (*i)-- == 0;
}

static bool image(size_t *i, struct mem_range *out)
{
    size_t size = (size_t)(image_end - image_start);
    return one(i, out,
               (struct mem_range){(vaddr_t)image_start, size, MEM_KERNEL});
}

static bool tree(const struct machine *m, size_t *i, struct mem_range *out)
{
    vaddr_t base = (vaddr_t)m->tree->blob;
    return one(i, out, (struct mem_range){base, m->tree->size, MEM_BOOT});
}

static bool initrd(const struct machine *m, size_t *i, struct mem_range *out)
{
    return one(i, out,
               (struct mem_range){m->initrd, m->initrd_size, MEM_INITRD});
}

static bool anything_is_reserved(const struct machine *m)
{
    struct mem_range r;
    size_t i = 0, j = 0;
    return reservation(m, &i, &r) || reserved_node(m, &j, &r);
}

/* Firmware that does not say where it is lies between the start of the kernel's
 * bank and the kernel. */
static bool silent_firmware(const struct machine *m, size_t *i,
                            struct mem_range *out)
{
    paddr_t kernel = (vaddr_t)image_start;

    if (anything_is_reserved(m))
        return false;
    for (size_t n = 0, j = 0; bank(m, &j, out); j = ++n)
        if (out->base < kernel && kernel - out->base < out->size)
            return one(i, out,
                       (struct mem_range){out->base, kernel - out->base,
                                          MEM_FIRMWARE});
    return false;
}

bool memory_range(const struct boot_info *boot, size_t i, struct mem_range *out)
{
    const struct machine *m = boot->private;
    return bank(m, &i, out) || reservation(m, &i, out) ||
           reserved_node(m, &i, out) || image(&i, out) || tree(m, &i, out) ||
           initrd(m, &i, out) || silent_firmware(m, &i, out);
}

bool memory_is_known(const struct machine *m)
{
    struct mem_range r;
    for (size_t n = 0, i = 0; bank(m, &i, &r); i = ++n)
        if (r.size)
            return true;
    return false;
}
