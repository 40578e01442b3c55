#include "kernel/address.h"
#include "mm/paging.h"
#include "mm/pmm.h"

#include <arch/layout.h>
#include <oct/image.h>
#include <oct/string.h>

struct place {
    const char *name;
    const char *start, *end;
};

/* The first that fits counts. */
static const struct place image[] = {
    {"the guard page below the kernel's stack", stack_guard, stack_bottom},
    {"the kernel's stack", stack_bottom, stack_top},
    {"kernel text", text_start, text_end},
    {"kernel constants", rodata_start, rodata_end},
    {"kernel data", data_start, data_end},
};

static const char *image_owner(vaddr_t addr)
{
    for (size_t i = 0; i < ARRAY_SIZE(image); i++)
        if (addr >= (vaddr_t)image[i].start && addr < (vaddr_t)image[i].end)
            return image[i].name;
    return NULL;
}

static const char *frame_owner(vaddr_t addr)
{
    static const char *const names[FRAME_KINDS] = {
        [FRAME_FREE] = "a free frame",
        [FRAME_FIRMWARE] = "memory of the firmware",
        [FRAME_IMAGE] = "the kernel image",
        [FRAME_BOOT] = "memory of the boot loader",
        [FRAME_INITRD] = "the initial RAM disk",
        [FRAME_EARLY] = "the frame manager's tables",
        [FRAME_KERNEL] = "a frame of the kernel",
        [FRAME_TABLE] = "a page table",
        [FRAME_HEAP] = "the kernel heap",
        [FRAME_SLAB] = "an object cache's slab",
        [FRAME_PAGES] = "a page of alloc_pages",
        [FRAME_VMALLOC] = "a page of a vmalloc area",
        [FRAME_PERCPU] = "per-CPU data",
        [FRAME_WINDOWS] = "the tables of the kernel windows",
        [FRAME_USER] = "a user program's frame",
    };
    paddr_t pa = (paddr_t)addr - DIRECT_OFFSET;
    return pa < DIRECT_END ? names[pmm_kind(pa)] : NULL;
}

/* User addresses mean something here only where both share a table. */
static const char *window_owner(vaddr_t addr)
{
    if (addr >= WINDOW_START && addr < WINDOW_END)
        return "a kernel window";
    if (SHARED_SIZE && addr >= USER_START && addr < USER_END)
        return "user space";
    return "nothing";
}

const char *address_owner(vaddr_t addr)
{
    if (addr < PAGE_SIZE)
        return "the NULL page";
    const char *name = image_owner(addr);
    if (!name)
        name = frame_owner(addr);
    return name ? name : window_owner(addr);
}

struct rights_text rights_text(unsigned prot)
{
    static const struct {
        unsigned flag;
        char letter;
    } rights[] = {{P_READ, 'r'}, {P_WRITE, 'w'},  {P_EXEC, 'x'},
                  {P_USER, 'u'}, {P_GLOBAL, 'g'}, {P_DEVICE, 'd'}};
    struct rights_text out = {""};
    for (size_t i = 0; i < ARRAY_SIZE(rights); i++)
        out.text[i] = prot & rights[i].flag ? rights[i].letter : '-';
    return out;
}

struct rights_text address_rights(vaddr_t addr)
{
    const struct rights_text none = {"not mapped"}, locked = {"map locked"};
    if (lock_held(&kernel_map.lock))
        return locked;
    if (!kernel_map.root || !paging_range_valid(addr, 1))
        return none;
    struct mapping m = paging_query(&kernel_map, addr);
    return m.present ? rights_text(m.prot) : none;
}
