/* What memory is used for: frames by owner, and the heap's blocks. */
#include "kernel/command.h"
#include "kernel/console.h"
#include "mm/kheap.h"
#include "mm/pmm.h"

#include <oct/print.h>
#include <oct/string.h>

/* --- frames --- */

static const struct {
    char letter;
    const char *colour;
} looks[FRAME_KINDS] = {
    [FRAME_NONE] = {' ', PLAIN},          [FRAME_FREE] = {'.', "\033[32m"},
    [FRAME_FIRMWARE] = {'W', "\033[31m"}, [FRAME_IMAGE] = {'I', "\033[35m"},
    [FRAME_BOOT] = {'B', "\033[31m"},     [FRAME_INITRD] = {'D', "\033[35m"},
    [FRAME_EARLY] = {'E', "\033[33m"},    [FRAME_KERNEL] = {'K', "\033[33m"},
    [FRAME_TABLE] = {'T', "\033[36m"},    [FRAME_HEAP] = {'H', "\033[34m"},
    [FRAME_SLAB] = {'S', "\033[34m"},     [FRAME_PAGES] = {'P', "\033[33m"},
    [FRAME_VMALLOC] = {'V', "\033[36m"},  [FRAME_PERCPU] = {'C', "\033[33m"},
    [FRAME_WINDOWS] = {'A', "\033[33m"},  [FRAME_USER] = {'U', "\033[37m"},
};

#define MAP_COLUMNS 64
#define MAP_ROWS 16

static void print_owners(const struct frames_stats *s)
{
    size_t kind[FRAME_KINDS];
    pmm_by_kind(kind);
    kprintf(BOLD "     %-34s %10s %12s %8s" PLAIN "\n", "owner", "frames",
            "KiB", "share");
    for (int k = FRAME_FREE; k < FRAME_KINDS; k++) {
        if (k == FRAME_NONE)
            continue;
        unsigned long long frames = kind[k];
        unsigned permille = (unsigned)(frames * 1000 / s->total);
        if (frames > 0)
            kprintf("  %s%c" PLAIN "  %-34s %10llu %12llu %6u.%u%%\n",
                    looks[k].colour, looks[k].letter,
                    pmm_kind_name((enum frame_kind)k), frames,
                    frames * (PAGE_SIZE / KiB), permille / 10, permille % 10);
    }
    kprintf("     %-34s %10zu %12llu\n", "all", s->total,
            s->total * (PAGE_SIZE / KiB));
}

struct share {
    enum frame_kind kind; /* who owns most of what is not free */
    bool whole;           /* and does he own all of it? */
};

static struct share look_at(paddr_t start, paddr_t size)
{
    size_t count[FRAME_KINDS] = {0};
    struct share share = {FRAME_NONE, false};
    for (paddr_t pa = start; pa < start + size; pa += PAGE_SIZE)
        count[pmm_kind(pa)]++;
    if (count[FRAME_FREE] > 0)
        share.kind = FRAME_FREE;
    for (int k = FRAME_NONE + 1; k < FRAME_KINDS; k++)
        if (count[k] > 0 &&
            (share.kind <= FRAME_NONE || count[k] > count[share.kind]))
            share.kind = (enum frame_kind)k;
    share.whole = count[share.kind] == size / PAGE_SIZE;
    return share;
}

static void print_row(paddr_t at, paddr_t cell)
{
    const char *colour = NULL;
    kprintf("  0x%010llx  ", at);
    for (unsigned i = 0; i < MAP_COLUMNS; i++, at += cell) {
        struct share s = look_at(at, cell);
        char letter = looks[s.kind].letter;
        if (!s.whole && letter >= 'A')
            letter |= 0x20; /* to lower case */
        if (looks[s.kind].colour != colour)
            kprintf("%s", colour = looks[s.kind].colour);
        kprintf("%c", letter);
    }
    kprintf(PLAIN "\n");
}

static void print_ram_map(void)
{
    paddr_t start = pmm_start(), end = pmm_end(), cell = PAGE_SIZE;
    while (cell * MAP_COLUMNS * MAP_ROWS < end - start)
        cell *= 2;
    kprintf(
        "\nRAM, a letter for each %s: its main owner; small: owns not all\n",
        size_text(cell).text);
    for (; start < end; start += cell * MAP_COLUMNS)
        print_row(start, cell);
}

static void print_shrinker(void *context, const struct shrinker *s)
{
    (void)context;
    kprintf("     %-34s %10zu %12zu\n", s->name, s->calls, s->given_back);
}

static void print_reserve(const struct frames_stats *s)
{
    kprintf("\nreserve of %zu frames, needed %zu times; memory was short %zu "
            "times\n",
            s->reserve, s->reserve_used, s->reclaims);
    kprintf(BOLD "     %-34s %10s %12s" PLAIN "\n", "who was asked to shrink",
            "times", "frames given");
    pmm_visit_shrinkers(print_shrinker, NULL);
}

COMMAND(mem, "", "shows who owns the frames of RAM")
{
    struct frames_stats s;
    if (argc > 1)
        return false;
    pmm_stats(&s);
    print_owners(&s);
    print_reserve(&s);
    print_ram_map();
    return true;
}

COMMAND(reclaim, "", "has what is kept only to be fast given back")
{
    if (argc > 1)
        return false;
    kprintf("%zu frames came back\n", pmm_reclaim());
    frames_drain(&pmm);
    return true;
}

/* --- the heap --- */

#define PICTURE_WIDTH 64
#define SUBBLOCK 32
#define HEADER_TAG 0xff
#define IDLE_TAG 0x80 /* of an object at hand for a CPU */

/* What stands for several subblocks is the first of them that is not free. */
static char picture_of(const uint8_t *tags, size_t n)
{
    static const char names[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    while (n > 1 && *tags == 0) {
        tags++;
        n--;
    }
    if (*tags == 0)
        return '.';
    if (*tags & IDLE_TAG)
        return *tags == HEADER_TAG ? '#' : '-';
    return names[*tags % (sizeof(names) - 1)];
}

static void print_block(void *context, const void *block, size_t chunks,
                        const uint8_t *tags)
{
    size_t n = chunks * PAGE_SIZE / SUBBLOCK;
    size_t each = (n + PICTURE_WIDTH - 1) / PICTURE_WIDTH;
    (void)context;
    kprintf("%9lx %4zu ", (unsigned long)(uintptr_t)block, chunks);
    for (size_t i = 0; i < n; i += each)
        kprintf("%c", picture_of(tags + i, min_size(each, n - i)));
    kprintf("\n");
}

static unsigned fragmentation(const struct kheap_stats *s)
{
    unsigned long long largest = s->largest;
    return s->free ? 100 - (unsigned)(largest * 100 / s->free) : 0;
}

COMMAND(heap, "", "shows the blocks of the kernel heap")
{
    struct kheap_stats s;
    if (argc > 1)
        return false;
    kprintf(BOLD "%9s %4s %s" PLAIN "\n", "block", "size",
            "# header  . free  - at hand  else: neighbours are other "
            "objects");
    kheap_visit(print_block, NULL);
    kheap_stats(&s);
    kprintf("\n  %zu objects, %zu bytes, in %zu blocks of %zu pages\n",
            s.objects, s.live, s.blocks, s.chunks);
    kprintf("  %zu bytes at hand for CPUs\n", s.idle);
    kprintf("  %zu bytes free, %zu of them in one run: %u%% fragmented\n",
            s.free, s.largest, fragmentation(&s));
    return true;
}
