/* The loader's tables, read where they lie. Nothing in them is believed before
 * it is checked: a length that would lead a walk out of the table, past 4 GiB
 * or around it ends the boot with a message.
 *
 * Ranges come in three groups: the loader's map; what the kernel knows or keeps
 * (`kept`); and two for each module, its content and its name. */
#include <arch/layout.h>
#include <arch/multiboot.h>
#include <oct/assert.h>
#include <oct/boot_info.h>
#include <oct/image.h>
#include <oct/string.h>

#define MAP_SIZE_MAX (1 * MiB)
#define STRING_MAX 4096 /* with its NUL */
#define MODULES_MAX 4096

static struct mem_range kept[8];
static size_t kept_count, map_count;

static_assert(sizeof(struct multiboot_range) == 24, "as specified");
static_assert(offsetof(struct multiboot_info, loader_name) == 64,
              "as specified");

static const void *at(uint32_t address)
{
    return (const void *)(uintptr_t)address;
}

/* The kernel reads all of the loader's tables through the direct map. */
static bool within_reach(uint64_t base, uint64_t size)
{
    return base >= 4096 && base + size <= DIRECT_END;
}

static void keep(paddr_t base, uint64_t size, enum mem_kind kind)
{
    assert(kept_count < ARRAY_SIZE(kept));
    kept[kept_count++] = (struct mem_range){base, size, kind};
}

/* Bytes up to and with the NUL; 0 if there is none within reason. */
static size_t string_size(uint32_t address)
{
    if (!within_reach(address, STRING_MAX))
        return 0;
    size_t length = strnlen(at(address), STRING_MAX);
    return length < STRING_MAX ? length + 1 : 0;
}

/* Keeps the string; NULL if it is not one. */
static const char *keep_string(uint32_t address)
{
    size_t size = string_size(address);
    if (size == 0)
        return NULL;
    keep(address, size, MEM_BOOT);
    return at(address);
}

/* The entry at that offset in the map; NULL at the end. */
static const struct multiboot_range *map_entry(const struct multiboot_info *mb,
                                               uint64_t offset)
{
    const struct multiboot_range *e;

    if (offset + sizeof(*e) > mb->map_size)
        return NULL;
    e = at(mb->map + (uint32_t)offset);
    return e->size >= sizeof(*e) - sizeof(e->size) ? e : NULL;
}

/* Entry i of the map, or NULL past the last. Entries differ in size, so the
 * walk begins at the first each time: maps are short. */
static const struct multiboot_range *map_at(const struct multiboot_info *mb,
                                            size_t i)
{
    const struct multiboot_range *e = map_entry(mb, 0);

    for (uint64_t offset = 0; e && i > 0; i--) {
        offset += (uint64_t)e->size + sizeof(e->size);
        e = map_entry(mb, offset);
    }
    return e;
}

static const struct multiboot_module *module_at(const struct multiboot_info *mb,
                                                size_t i)
{
    return (const struct multiboot_module *)at(mb->modules) + i;
}

static struct mem_range module_range(const struct multiboot_info *mb, size_t i)
{
    const struct multiboot_module *m = module_at(mb, i / 2);

    if (i % 2)
        return (struct mem_range){m->name, string_size(m->name), MEM_BOOT};
    return (struct mem_range){m->start, m->end - m->start,
                              i == 0 ? MEM_INITRD : MEM_BOOT};
}

static size_t module_count(const struct multiboot_info *mb)
{
    return mb->flags & MULTIBOOT_MODULES ? mb->module_count : 0;
}

static bool multiboot_range(const struct boot_info *boot, size_t i,
                            struct mem_range *out)
{
    const struct multiboot_info *mb = boot->private;

    if (i < map_count) {
        const struct multiboot_range *e = map_at(mb, i);
        enum mem_kind kind = e->type == MULTIBOOT_RAM ? MEM_FREE : MEM_FIRMWARE;
        *out = (struct mem_range){e->base, e->length, kind};
        return true;
    }
    i -= map_count;
    if (i < kept_count) {
        *out = kept[i];
        return true;
    }
    i -= kept_count;
    if (i < 2 * module_count(mb)) {
        *out = module_range(mb, i);
        return true;
    }
    return false;
}

static const char *read_map(const struct multiboot_info *mb)
{
    const struct multiboot_range *e;
    bool ram = false;

    if (!(mb->flags & MULTIBOOT_MAP))
        return "it gives no memory map";
    if (mb->map_size > MAP_SIZE_MAX || !within_reach(mb->map, mb->map_size))
        return "its memory map is out of bounds";
    for (map_count = 0; (e = map_at(mb, map_count)); map_count++)
        ram |= e->type == MULTIBOOT_RAM && e->length > 0;
    if (!ram)
        return "its memory map shows no memory";
    keep(mb->map, mb->map_size, MEM_BOOT);
    return NULL;
}

/* QEMU's own loader puts the kernel's file name in front; GRUB 2 does not. */
static const char *without_file_name(const char *line, const char *loader)
{
    if (strcmp(loader, "qemu") != 0)
        return line;
    const char *blank = strchr(line, ' ');
    return blank ? blank + 1 : "";
}

static const char *read_strings(const struct multiboot_info *mb,
                                struct boot_info *boot)
{
    boot->loader = "multiboot";
    boot->command_line = "";
    if (mb->flags & MULTIBOOT_LOADER_NAME)
        boot->loader = keep_string(mb->loader_name);
    if (mb->flags & MULTIBOOT_COMMAND_LINE)
        boot->command_line = keep_string(mb->command_line);
    if (!boot->loader || !boot->command_line)
        return "its name or the command line is out of bounds";
    boot->command_line = without_file_name(boot->command_line, boot->loader);
    return NULL;
}

static const char *read_modules(const struct multiboot_info *mb,
                                struct boot_info *boot)
{
    size_t count = module_count(mb);
    size_t size = count * sizeof(struct multiboot_module);

    if (count == 0)
        return NULL;
    if (count > MODULES_MAX || !within_reach(mb->modules, size))
        return "its list of modules is out of bounds";
    for (size_t i = 0; i < count; i++) {
        const struct multiboot_module *m = module_at(mb, i);
        if (m->end < m->start || !within_reach(m->start, m->end - m->start))
            return "it put a module out of bounds";
    }
    keep(mb->modules, size, MEM_BOOT);
    boot->initrd = module_at(mb, 0)->start;
    boot->initrd_size = module_at(mb, 0)->end - module_at(mb, 0)->start;
    return NULL;
}

static void keep_fixed(uint32_t info)
{
    keep(0, 4096, MEM_FIRMWARE);          /* interrupt vectors, BIOS data */
    keep(0xa0000, 0x60000, MEM_FIRMWARE); /* screen memory, ROM */
    keep((vaddr_t)image_start, (size_t)(image_end - image_start), MEM_KERNEL);
    keep(info, sizeof(struct multiboot_info), MEM_BOOT);
}

const char *multiboot_read(uint32_t magic, uint32_t info,
                           struct boot_info *boot)
{
    const struct multiboot_info *mb = at(info);
    const char *wrong;

    if (magic != MULTIBOOT_MAGIC)
        return "its magic number is not multiboot's";
    if (!within_reach(info, sizeof(*mb)))
        return "its information is out of bounds";
    keep_fixed(info);
    boot->machine = "PC";
    boot->range = multiboot_range;
    boot->private = mb;
    if ((wrong = read_map(mb)))
        return wrong;
    if ((wrong = read_strings(mb, boot)))
        return wrong;
    return read_modules(mb, boot);
}
