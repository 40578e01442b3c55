/* Instances of frames, and where their memory comes from: address space that
 * the operating system gives memory to as it is touched, and takes it back from
 * when the instance is trimmed. */
#include "lab/oct_parts.h"

#include <errno.h>
#include <sys/mman.h>

#include "lab/port/cpu.h"

/* --- address space --- */

/* Zeroes that cost no memory until touched; NULL: no room. */
static void *map(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

/* At such a multiple that the frames' addresses, which count from the start of
 * the range, are aligned as the memory is. */
static void *map_frames(uint64_t bytes)
{
    size_t align = (size_t)frames_bank_align();
    char *p = bytes <= SIZE_MAX - align ? map(bytes + align) : NULL;
    if (!p)
        return NULL;
    size_t before = -(uintptr_t)p % align;
    if (before > 0)
        munmap(p, before);
    munmap(p + before + bytes, align - before);
    return p + before;
}

/* --- making and ending --- */

static struct oct_frames *create(void *memory, uint64_t bytes,
                                 const struct free_manager *manager)
{
    size_t size = frames_storage_bytes(bytes, manager, OCT_CPUS_MAX);
    struct oct_frames *f = map(sizeof(*f));
    void *tables = map(size);
    if (!f || !tables) {
        if (f)
            munmap(f, sizeof(*f));
        if (tables)
            munmap(tables, size);
        errno = ENOMEM;
        return NULL;
    }
    f->memory = memory;
    f->bytes = bytes;
    f->tables = tables;
    f->table_bytes = size;
    frames_init_free(&f->m, tables, bytes, (uintptr_t)memory, manager,
                     OCT_CPUS_MAX);
    oct_enlist(&oct_all.frames, &f->link);
    return f;
}

static const struct free_manager *manager_of(enum oct_manager manager)
{
    return manager == OCT_BUDDY ? &buddy_manager : &bitmap_manager;
}

static bool are_frames(const void *memory, uint64_t bytes)
{
    if (bytes > 0 && bytes % OCT_FRAME == 0 &&
        (uintptr_t)memory % OCT_FRAME == 0)
        return true;
    errno = EINVAL;
    return false;
}

struct oct_frames *oct_frames_over(void *memory, size_t bytes,
                                   enum oct_manager manager)
{
    return memory && are_frames(memory, bytes)
               ? create(memory, bytes, manager_of(manager))
               : NULL;
}

struct oct_frames *oct_frames_create(uint64_t bytes, enum oct_manager manager)
{
    void *memory = are_frames(NULL, bytes) ? map_frames(bytes) : NULL;
    struct oct_frames *f =
        memory ? create(memory, bytes, manager_of(manager)) : NULL;
    if (f)
        f->ours = true;
    else if (memory)
        munmap(memory, bytes);
    return f;
}

struct oct_frames *oct_frames_simulate(uint64_t bytes)
{
    return are_frames(NULL, bytes) ? create(NULL, bytes, &bitmap_manager)
                                   : NULL;
}

void oct_frames_destroy(struct oct_frames *f)
{
    oct_strike(&f->link);
    if (f->has_caches)
        slabs_destroy(&f->caches);
    if (f->ours)
        munmap(f->memory, f->bytes);
    munmap(f->tables, f->table_bytes);
    munmap(f, sizeof(*f));
}

/* --- taking and giving --- */

uint64_t oct_frame_alloc(struct oct_frames *f)
{
    return frames_alloc(&f->m);
}

int oct_frame_free(struct oct_frames *f, uint64_t frame)
{
    return frames_free(&f->m, frame, 1);
}

uint64_t oct_frames_alloc(struct oct_frames *f, size_t n, size_t align)
{
    if (!is_power_of_two(align) || align > SIZE_MAX / PAGE_SIZE)
        return 0;
    return frames_alloc_run(&f->m, n, align * PAGE_SIZE, f->m.direct_end);
}

int oct_frames_free(struct oct_frames *f, uint64_t first, size_t n)
{
    return frames_free(&f->m, first, n);
}

void *oct_frame_at(struct oct_frames *f, uint64_t frame)
{
    return f->memory ? frames_view(&f->m, frame) : NULL;
}

/* --- giving memory back --- */

enum {
    PIECE = 64,  /* frames that are given back together, or not at all */
    LOOK = 1024, /* and frames that are looked at in one go */
};

static bool any(const unsigned char *resident, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (resident[i] & 1)
            return true;
    return false;
}

/* The frames are taken meanwhile, lest somebody write there. */
static void release_piece(struct oct_frames *f, paddr_t pa)
{
    if (frames_alloc_at(&f->m, pa, PIECE) != 0)
        return; /* not all free */
    madvise(frames_view(&f->m, pa), PIECE * PAGE_SIZE, MADV_DONTNEED);
    frames_free(&f->m, pa, PIECE);
}

/* Most of a range was never touched, which the kernel tells soonest. */
void oct_release_memory(struct oct_frames *f)
{
    unsigned char resident[LOOK];
    for (paddr_t pa = 0; f->ours && pa < f->bytes; pa += LOOK * PAGE_SIZE) {
        size_t bytes = min_size(f->bytes - pa, LOOK * PAGE_SIZE);
        if (mincore(frames_view(&f->m, pa), bytes, resident) != 0)
            return;
        for (size_t i = 0; i + PIECE <= bytes / PAGE_SIZE; i += PIECE)
            if (any(resident + i, PIECE))
                release_piece(f, pa + i * PAGE_SIZE);
    }
}

void oct_frames_trim(struct oct_frames *f)
{
    for (unsigned cpu = 0; cpu < oct_cpus_seen(); cpu++)
        if (oct_cpu_borrow(cpu)) {
            frames_drain_cpu(&f->m, cpu);
            oct_cpu_return(cpu);
        }
    oct_release_memory(f);
}

/* --- looking --- */

void oct_frames_stats(struct oct_frames *f, struct oct_frames_stats *out)
{
    struct frames_stats s;
    frames_stats(&f->m, &s);
    struct frames_runs runs = frames_runs(&f->m);
    *out = (struct oct_frames_stats){
        .total = s.total,
        .free = s.free,
        .cached = s.cached,
        .longest = runs.longest,
        .whole_groups = runs.whole_groups,
        .map_bytes = s.map_bytes,
        .owner_bytes = s.owner_bytes,
    };
}

const char *oct_frames_check(struct oct_frames *f)
{
    return frames_check(&f->m);
}
