/* What the heap tells about itself, and how it is checked against its tags. */
#include "mm/kheap_blocks.h"
#include "mm/pmm.h"

#include <oct/assert.h>
#include <oct/kview.h>

static struct block *block_in(struct list *node)
{
    return container_of(node, struct block, in_blocks);
}

void tagged_stats(struct kheap_stats *out)
{
    lock_acquire(&heap.lock);
    *out = (struct kheap_stats){.live = heap.live * SUBBLOCK,
                                .objects = heap.objects};
    list_for_each (node, &heap.blocks) {
        const struct block *b = block_in(node);
        out->blocks++;
        out->chunks += b->chunks;
        out->free += b->free * SUBBLOCK;
    }
    out->largest = runs_longest() * SUBBLOCK;
    lock_release(&heap.lock);
}

void kheap_visit(void (*visit)(void *context, const void *block, size_t chunks,
                               const uint8_t *tags),
                 void *context)
{
    lock_acquire(&heap.lock);
    list_for_each (node, &heap.blocks) {
        const struct block *b = block_in(node);
        visit(context, b, b->chunks, b->tag);
    }
    lock_release(&heap.lock);
}

void tagged_each(void (*visit)(void *context, void *p, size_t size),
                 void *context)
{
    list_for_each (node, &heap.blocks) {
        struct block *b = block_in(node);
        size_t i = header_subblocks(b->chunks), run;
        for (; i < block_subblocks(b); i += run) {
            run = run_length(b, i);
            if (b->tag[i] != TAG_FREE)
                visit(context, subblock_at(b, i), run * SUBBLOCK);
        }
    }
}

/* --- checking --- */

struct census {
    size_t live, objects, runs;
};

static const char *check_frames(const struct block *b)
{
    paddr_t pa = virt_to_phys(b);
    for (size_t i = 0; i < b->chunks; i++)
        if (pmm_run_start(pa + i * CHUNK, FRAME_HEAP) != pa)
            return "kheap: a block's frame is not known to be its";
    return NULL;
}

/* Objects are counted as runs of one tag: two neighbours that shared a tag
 * would count as one, and the sum would be short. */
static const char *check_tags(struct block *b, struct census *sum)
{
    assert(b->chunks > 0 && is_aligned((uintptr_t)b, CHUNK));
    size_t header = header_subblocks(b->chunks), end = block_subblocks(b);
    size_t free = 0;
    if (run_length(b, 0) != header || b->tag[0] != TAG_HEADER)
        return "kheap: a block's header is not tagged as such";
    for (size_t i = header, run; i < end; i += run) {
        run = run_length(b, i);
        if (b->tag[i] == TAG_HEADER)
            return "kheap: a header's tag behind the header";
        if (b->tag[i] == TAG_FREE) {
            if (!runs_describe(b, i, run))
                return "kheap: a free run was written to, or is not listed";
            free += run;
            sum->runs++;
        } else {
            sum->live += run;
            sum->objects++;
        }
    }
    if (free != b->free)
        return "kheap: a block's count of free subblocks is wrong";
    return NULL;
}

static const char *check_all(void)
{
    assert(lock_held(&heap.lock));
    struct census sum = {0};
    const char *wrong = NULL;
    list_for_each (node, &heap.blocks) {
        wrong = check_frames(block_in(node));
        if (!wrong)
            wrong = check_tags(block_in(node), &sum);
        if (wrong)
            return wrong;
    }
    if (sum.live != heap.live || sum.objects != heap.objects)
        return "kheap: the count of objects is not that of the tags";
    if (sum.runs != runs_count())
        return "kheap: the lists of free runs are not those of the tags";
    return NULL;
}

const char *tagged_check(void)
{
    lock_acquire(&heap.lock);
    const char *wrong = check_all();
    lock_release(&heap.lock);
    return wrong;
}
