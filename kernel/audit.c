/* Page tables, blocks of the heap and vmalloc areas are visited, and each frame
 * of theirs is ticked off: ticked twice it has two owners, not at all none.
 * Object caches, per-CPU chunks and large objects check their own frames
 * (slab_check, percpu_check, kheap_check); if then their number is the number
 * of labels, each label has its owner. What the boot left is compared with what
 * the boot said. Frames that were given to somebody in the kernel who keeps his
 * own books (FRAME_KERNEL, FRAME_PAGES, FRAME_USER) are only counted.
 */
#include "kernel/audit.h"
#include "kernel/tables.h"
#include "mm/kdebug.h"
#include "mm/kheap.h"
#include "mm/paging.h"
#include "mm/percpu.h"
#include "mm/slab.h"
#include "mm/vmap.h"

#include <oct/assert.h>
#include <oct/image.h>
#include <oct/kview.h>
#include <oct/report.h>
#include <oct/string.h>

struct notes {
    struct audit *count;
    unsigned long *ticks; /* a bit a frame from pmm_start() on */
    size_t frames;        /* that these take */
    const char *wrong;    /* the first that was */
};

static size_t frame_number(paddr_t pa)
{
    return (size_t)((pa - pmm_start()) / PAGE_SIZE);
}

static bool is_ticked(const struct notes *n, paddr_t pa)
{
    size_t i = frame_number(pa);
    return n->ticks[i / WORD_BITS] >> i % WORD_BITS & 1;
}

static void complain(struct notes *n, const char *wrong, paddr_t pa)
{
    if (n->wrong)
        return;
    n->wrong = wrong;
    report(0, "%s: 0x%llx, labelled %s", wrong, pa,
           pmm_kind_name(pmm_kind(pa)));
}

/* Somebody uses this frame as `kind`. */
static bool tick(struct notes *n, paddr_t pa, enum frame_kind kind)
{
    if (pmm_kind(pa) != kind) {
        complain(n, "audit: a frame in use is not labelled so", pa);
        return false;
    }
    if (is_ticked(n, pa)) {
        complain(n, "audit: a frame has two owners", pa);
        return false;
    }
    size_t i = frame_number(pa);
    n->ticks[i / WORD_BITS] |= 1ul << i % WORD_BITS;
    n->count->explained[kind]++;
    return true;
}

/* --- those that are visited --- */

static bool tick_table(void *context, const struct table_stop *s)
{
    struct notes *n = context;
    if (s->is_table)
        return tick(n, s->pa, FRAME_TABLE);
    if (s->va < WINDOW_START || s->va >= WINDOW_END)
        return true;
    for (paddr_t pa = s->pa; pa < s->pa + paging_span(s->level);
         pa += PAGE_SIZE)
        if (pmm_kind(pa) == FRAME_VMALLOC)
            tick(n, pa, FRAME_VMALLOC);
    return true;
}

static void tick_block(void *context, const void *block, size_t chunks,
                       const uint8_t *tags)
{
    (void)tags;
    for (size_t i = 0; i < chunks; i++)
        tick(context, virt_to_phys(block) + i * PAGE_SIZE, FRAME_HEAP);
}

/* Where the heap has no blocks, large objects have frames of their own. */
static void tick_object(void *context, const struct kdebug_object *o)
{
    paddr_t pa = virt_to_phys(o->p), end = pa + o->room;
    if (pmm_kind(pa) != FRAME_HEAP || is_ticked(context, pa))
        return;
    for (; pa < end; pa += PAGE_SIZE)
        tick(context, pa, FRAME_HEAP);
}

/* --- those that are counted --- */

static void count_slabs(void *context, const struct slab_stats *s)
{
    struct audit *a = context;
    a->explained[FRAME_SLAB] += s->frames;
}

static void count_rest(struct audit *a)
{
    struct frames_stats s;
    struct percpu_stats p;
    pmm_stats(&s);
    struct vmap_stats v;
    percpu_stats(&p);
    vmap_stats(&v);
    pmm_by_kind(a->labelled);
    a->explained[FRAME_FREE] = s.free;
    a->explained[FRAME_WINDOWS] = v.table_frames;
    a->explained[FRAME_EARLY] = s.table_bytes / PAGE_SIZE;
    a->explained[FRAME_IMAGE] = (size_t)(image_end - image_start) / PAGE_SIZE;
    if (p.chunks > 1) /* the first is part of FRAME_EARLY */
        a->explained[FRAME_PERCPU] =
            (p.chunks - 1) * percpu_map.cpus * (percpu_map.unit / PAGE_SIZE);
    kmem_cache_visit(count_slabs, a);
}

static const char *const witnesses[FRAME_KINDS] = {
    [FRAME_FREE] = "free frames, counted",
    [FRAME_IMAGE] = "the linker's symbols",
    [FRAME_EARLY] = "what the boot-time allocator handed out",
    [FRAME_TABLE] = "a walk through the kernel's page table",
    [FRAME_HEAP] = "the heap's blocks and large objects",
    [FRAME_SLAB] = "the slabs of all caches, counted",
    [FRAME_VMALLOC] = "what the windows map",
    [FRAME_PERCPU] = "per-CPU chunks, counted",
    [FRAME_WINDOWS] = "what the windows say they take",
};

const char *audit_witness(enum frame_kind kind)
{
    assert(kind < FRAME_KINDS);
    return witnesses[kind];
}

/* --- the verdict --- */

static bool is_visited(enum frame_kind kind)
{
    return kind == FRAME_TABLE || kind == FRAME_HEAP || kind == FRAME_VMALLOC;
}

static void find_unowned(struct notes *n)
{
    for (paddr_t pa = pmm_start(); pa < pmm_end() && !n->wrong; pa += PAGE_SIZE)
        if (is_visited(pmm_kind(pa)) && !is_ticked(n, pa))
            complain(n, "audit: a frame has no owner", pa);
}

static void compare(struct notes *n)
{
    struct audit *a = n->count;
    for (int k = 0; k < FRAME_KINDS; k++) {
        if (!witnesses[k])
            a->explained[k] = a->labelled[k];
        if (a->explained[k] == a->labelled[k] || n->wrong)
            continue;
        n->wrong = "audit: labels and owners differ in number";
        report(0, "%s: %s, %zu labelled, %zu found", n->wrong,
               pmm_kind_name((enum frame_kind)k), a->labelled[k],
               a->explained[k]);
    }
}

static const char *check_holders(void)
{
    const char *wrong = kheap_check();
    if (!wrong)
        wrong = slab_check();
    return wrong ? wrong : percpu_check();
}

static bool take_notes(struct notes *n)
{
    size_t words = frame_number(pmm_end()) / WORD_BITS + 1;
    n->frames = (words * sizeof(*n->ticks) + PAGE_SIZE - 1) / PAGE_SIZE;
    paddr_t pa = pmm_allocs(n->frames);
    if (!pa)
        return false;
    n->ticks = memset(phys_to_virt(pa), 0, n->frames * PAGE_SIZE);
    return true;
}

const char *audit_count(struct audit *out)
{
    struct notes notes = {.count = out, .wrong = check_holders()};
    *out = (struct audit){{0}, {0}};
    if (!take_notes(&notes))
        return "audit: no memory for notes";
    tables_visit(tick_table, &notes);
    kheap_visit(tick_block, &notes);
    kdebug_each(tick_object, &notes);
    find_unowned(&notes);
    count_rest(out);
    compare(&notes);
    int error = pmm_frees(virt_to_phys(notes.ticks), notes.frames);
    assert(!error);
    return notes.wrong;
}

const char *audit(void)
{
    struct audit count;
    return audit_count(&count);
}
