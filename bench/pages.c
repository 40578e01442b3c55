/* What mapping costs: by the page within a range, and by the call. */
#include "kernel/kbench.h"
#include "mm/paging.h"
#include "mm/pmm.h"

#include <oct/assert.h>

#define AT ((vaddr_t)0x90000000)
#define PAGES 1024
#define LARGE paging_span(1)
#define USER (P_READ | P_WRITE | P_USER)

static struct pagemap map;

/* A map whose tables for AT are there already, so that only entries change. */
static void make(void)
{
    int error = paging_create(&map);
    error |= paging_map(&map, AT - PAGE_SIZE, 0, PAGE_SIZE, USER);
    error |= paging_map(&map, AT + PAGES * PAGE_SIZE, 0, PAGE_SIZE, USER);
    assert(!error);
}

static void map_pages(void)
{
    int error = paging_map(&map, AT, PAGE_SIZE, PAGES * PAGE_SIZE, USER);
    assert(!error);
}

BENCH(page_map_in_range, PAGES)
{
    make();
    METER_START;
    map_pages();
    METER_STOP;
    paging_destroy(&map);
}

BENCH(page_unmap_in_range, PAGES)
{
    make();
    map_pages();
    METER_START;
    int error = paging_unmap(&map, AT, PAGES * PAGE_SIZE);
    METER_STOP;
    assert(!error);
    paging_destroy(&map);
}

BENCH(page_map_one, PAGES)
{
    make();
    int error = paging_map(&map, AT, 0, PAGE_SIZE, USER);
    METER_START;
    for (size_t i = 1; i < PAGES; i++)
        error |= paging_map(&map, AT + i * PAGE_SIZE, 0, PAGE_SIZE, USER);
    METER_STOP;
    assert(!error);
    paging_destroy(&map);
}

BENCH(page_map_large, 16)
{
    make();
    METER_START;
    int error = paging_map(&map, AT + 4 * LARGE, 0, 16 * LARGE, USER);
    METER_STOP;
    assert(!error);
    paging_destroy(&map);
}

BENCH(page_query, PAGES)
{
    make();
    map_pages();
    size_t present = 0;
    METER_START;
    for (size_t i = 0; i < PAGES; i++)
        present += paging_query(&map, AT + i * PAGE_SIZE).present;
    METER_STOP;
    assert(present == PAGES);
    paging_destroy(&map);
}

BENCH(space_create_destroy, 1)
{
    METER_START;
    int error = paging_create(&map);
    paging_destroy(&map);
    METER_STOP;
    assert(!error);
}
