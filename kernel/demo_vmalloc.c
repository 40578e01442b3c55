/* vmalloc: a buffer whose addresses follow each other while its frames lie
 * anywhere. To make that visible, every other frame is taken beforehand. */
#include "kernel/demo.h"
#include "mm/pmm.h"
#include "mm/vmalloc.h"

#include <oct/kview.h>
#include <oct/list.h>
#include <oct/print.h>
#include <oct/string.h>

#define PAGES 64 /* of the buffer */
#define SHOWN 6  /* of them */

/* A frame on a list, which runs through the frames themselves. */
static void push_frame(struct list *list)
{
    paddr_t pa = pmm_alloc();
    if (pa)
        list_push(list, phys_to_virt(pa));
}

static void free_frames(struct list *list)
{
    while (!list_empty(list)) {
        struct list *frame = list->next;
        list_remove(frame);
        (void)pmm_free(virt_to_phys(frame));
    }
}

static void print_pages(const char *buffer)
{
    for (size_t i = 0; i < SHOWN; i++) {
        const char *page = buffer + i * PAGE_SIZE;
        kprintf("  page %zu at %p lies in frame 0x%llx\n", i, page,
                vmalloc_to_phys(page));
    }
}

DEMO(vmalloc)
{
    struct list between = LIST_INIT(between), holes = LIST_INIT(holes);
    for (size_t i = 0; i < PAGES; i++) {
        push_frame(&between);
        push_frame(&holes);
    }
    free_frames(&holes);
    char *buffer = vmalloc(PAGES * PAGE_SIZE);
    if (buffer) {
        memset(buffer, 'v', PAGES * PAGE_SIZE);
        print_pages(buffer);
        kprintf("  and so on: %d pages, one buffer\n", PAGES);
    }
    vfree(buffer);
    free_frames(&between);
}
