#include "stream.h"
#include "env.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <oct/errno.h>
#include <oct/prot.h>

/* --- making --- */

static size_t pick_count(uint64_t *random)
{
    static const size_t usual[] = {1,    2,    3,    511,  512,  513,
                                   1023, 1024, 1025, 1536, 2048, 3072};
    size_t kind = host_below(random, ARRAY_SIZE(usual) + 4);
    return kind < ARRAY_SIZE(usual) ? usual[kind]
                                    : 1 + host_below(random, 2500);
}

/* Mostly where large pages begin, or next to it. */
static size_t pick_page(uint64_t *random, size_t count)
{
    size_t page = host_below(random, MODEL_PAGES);
    if (host_below(random, 4) != 0)
        page = page / 512 * 512 + host_below(random, 3) * (page > 512) -
               (page > 512);
    return page + count > MODEL_PAGES ? MODEL_PAGES - count : page;
}

static void pick_range(uint64_t *random, struct model_range *at)
{
    at->map = host_below(random, 8) == 0;
    at->window = (unsigned)host_below(random, FORMAT_WINDOWS);
    at->count = pick_count(random);
    at->page = pick_page(random, at->count);
}

/* Below 4 GiB, where all formats reach; aligned like the page more often than
 * not, so that large pages fit. */
static uint64_t pick_frame(uint64_t *random, size_t page)
{
    static const uint64_t off[] = {0, 0, 0, 0, 512, 1, 511, 77};
    uint64_t window = 1 + host_below(random, 200);
    return (window * 4096 + page + off[host_below(random, ARRAY_SIZE(off))]) *
           4096;
}

static struct op pick_op(uint64_t *random)
{
    static const enum op_kind kinds[] = {OP_MAP,   OP_MAP,     OP_MAP,
                                         OP_UNMAP, OP_PROTECT, OP_PROTECT};
    struct op op = {.kind = kinds[host_below(random, ARRAY_SIZE(kinds))]};
    pick_range(random, &op.at);
    op.pa = pick_frame(random, op.at.page);
    op.prot = P_READ | host_below(random, P_ALL + 1);
    op.starve = host_below(random, 4) == 0;
    if (host_below(random, 12) == 0)
        op.bad = host_below(random, BAD_KINDS);
    if (host_below(random, 40) == 0)
        op = (struct op){.kind = OP_TOGGLE,
                         .at.map = host_below(random, FORMAT_MAPS),
                         .starve = op.starve};
    return op;
}

void stream_make(uint64_t seed, struct op *ops, size_t n)
{
    uint64_t random = seed * 0x9e3779b97f4a7c15ull + 1;
    for (unsigned map = 0; map < FORMAT_MAPS && map < n; map++)
        ops[map] =
            (struct op){.kind = OP_TOGGLE, .at.map = map, .starve = true};
    for (size_t i = FORMAT_MAPS; i < n; i++) {
        ops[i] = pick_op(&random);
        bool make_room = ops[i].kind == OP_MAP && host_below(&random, 2) == 0;
        if (make_room && i + 1 < n) {
            ops[i + 1] = ops[i];
            ops[i++].kind = OP_UNMAP;
        }
    }
}

void stream_describe(const struct op *op, char *to, size_t size)
{
    static const char *const kinds[] = {"map", "unmap", "protect", "toggle"};
    static const char *const bads[BAD_KINDS] = {
        "",         "bad va",       "bad pa",    "pa wraps", "bad length",
        "length 0", "length wraps", "length ~0", "no read",  "unknown right"};
    snprintf(to, size,
             "%-7s map %u window %u page %4zu count %4zu frame 0x%05" PRIx64
             " prot 0x%02x %s%s",
             kinds[op->kind], op->at.map, op->at.window, op->at.page,
             op->at.count, op->pa / 4096, op->prot, bads[op->bad],
             op->starve ? " starved" : "");
}

/* --- running --- */

struct run {
    struct model model;
    size_t all_frames[MODEL_FORMATS]; /* free before any map was made */
    struct soft_tree tree[MODEL_FORMATS][FORMAT_MAPS];
};

struct arguments {
    uint64_t va, pa, len;
    unsigned prot;
};

static void spoil(struct arguments *a, const struct op *op)
{
    bool has_pa = op->kind == OP_MAP, has_prot = op->kind != OP_UNMAP;
    switch (op->bad) {
    case BAD_PA:
        *(has_pa ? &a->pa : &a->va) += 0x800;
        break;
    case BAD_PA_WRAPS:
        a->pa = -4096ull;
        a->len += 4096;
        a->va += !has_pa;
        break;
    case BAD_LEN:
        a->len += 1;
        break;
    case BAD_LEN_ZERO:
        a->len = 0;
        break;
    case BAD_LEN_WRAPS:
        a->len = -a->va;
        break;
    case BAD_LEN_HUGE:
        a->len = -4096ull;
        break;
    case BAD_NO_READ:
        a->prot &= ~(unsigned)P_READ;
        a->va += !has_prot;
        break;
    case BAD_PROT:
        a->prot |= P_ALL + 1;
        a->va += !has_prot;
        break;
    default:
        a->va += 1;
    }
}

static int perform(const struct format_ops *f, const struct op *op, bool exists)
{
    struct arguments a = {f->window[op->at.window] + op->at.page * 4096, op->pa,
                          op->at.count * 4096, op->prot};
    if (op->bad)
        spoil(&a, op);
    switch (op->kind) {
    case OP_MAP:
        return f->map(op->at.map, a.va, a.pa, a.len, a.prot);
    case OP_UNMAP:
        return f->unmap(op->at.map, a.va, a.len);
    case OP_PROTECT:
        return f->protect(op->at.map, a.va, a.len, a.prot);
    default:
        if (!exists)
            return f->create(op->at.map);
        f->destroy(op->at.map);
        return 0;
    }
}

/* What the operation must return where memory lasts. */
static int predict(const struct model *m, const struct op *op)
{
    if (op->bad)
        return -EINVAL;
    return op->kind == OP_MAP && model_mapped(m, &op->at) ? -EEXIST : 0;
}

static void update_model(struct model *m, const struct op *op)
{
    struct model_map *map = &m->map[op->at.map];
    switch (op->kind) {
    case OP_MAP:
        model_map(m, &op->at, op->pa, op->prot);
        break;
    case OP_UNMAP:
        model_unmap(m, &op->at);
        break;
    case OP_PROTECT:
        model_protect(m, &op->at, op->prot);
        break;
    default:
        memset(map->page, 0, sizeof(map->page));
        map->exists = !map->exists;
    }
}

static bool is_same_tree(const struct soft_tree *a, const struct soft_tree *b)
{
    return a->tables == b->tables && a->leaves == b->leaves &&
           a->digest == b->digest;
}

static const char *compare_unchanged(struct run *run, size_t f, unsigned map,
                                     size_t free_before)
{
    const struct format_ops *ops = run->model.formats[f];
    if (ops->free_frames() != free_before)
        return "a call that failed kept or freed a frame";
    if (!run->model.map[map].exists)
        return NULL;
    struct soft_tree now = ops->survey(map);
    if (!is_same_tree(&now, &run->tree[f][map]))
        return "a call that failed changed the tree";
    return ops->tables(map) == now.tables
               ? NULL
               : "a call that failed changed the count of tables";
}

/* Runs the operation on format f with memory out at its first table, its
 * second, and so on; and at last with enough. */
static const char *perform_watched(struct run *run, size_t f,
                                   const struct op *op, int want)
{
    const struct format_ops *ops = run->model.formats[f];
    unsigned map = op->at.map;
    bool exists = run->model.map[map].exists;
    size_t free_before = ops->free_frames();
    const char *wrong = NULL;
    int error = 0;
    for (long k = op->starve ? 0 : -1;; k++) {
        bool watched = exists && op->kind != OP_TOGGLE;
        if (watched)
            ops->watch(map, MODEL_PAGES * 4096,
                       ops->window[op->at.window] + op->at.page * 4096,
                       op->at.count * 4096);
        ops->fail_after(k);
        error = perform(ops, op, exists);
        ops->fail_after(-1);
        wrong = watched ? ops->watch_end() : NULL;
        if (wrong || error != -ENOMEM || k < 0)
            break;
        wrong = compare_unchanged(run, f, map, free_before);
        if (wrong)
            break;
    }
    if (!wrong && error != want)
        wrong = "a call returned something else than it should";
    if (!wrong && want != 0)
        wrong = compare_unchanged(run, f, map, free_before);
    return wrong;
}

static const char *compare_tables(struct run *run, size_t f, unsigned map)
{
    const struct format_ops *ops = run->model.formats[f];
    struct soft_tree *tree = &run->tree[f][map];
    size_t need = model_tables(&run->model, f, map);
    *tree = ops->survey(map);
    if (tree->broken)
        return "a table lies outside RAM";
    if (tree->dirty)
        return "an absent entry is not zero";
    if (tree->tables != need)
        return "more or fewer tables than the map needs";
    return ops->tables(map) == need ? NULL
                                    : "the map's count of tables is wrong";
}

static const char *compare_frames(const struct run *run, size_t f)
{
    const struct format_ops *ops = run->model.formats[f];
    size_t used = 0;
    for (unsigned map = 0; map < FORMAT_MAPS; map++)
        if (run->model.map[map].exists)
            used += run->tree[f][map].tables;
    return ops->free_frames() + used == run->all_frames[f]
               ? NULL
               : "frames leaked, or were freed twice";
}

static const char *compare(struct run *run, size_t f, unsigned map)
{
    const char *wrong = NULL;
    if (run->model.map[map].exists) {
        wrong = model_compare(&run->model, f, map);
        if (!wrong)
            wrong = compare_tables(run, f, map);
        if (!wrong)
            wrong = run->model.formats[f]->check(map);
    }
    return wrong ? wrong : compare_frames(run, f);
}

static const char *run_op(struct run *run, const struct op *op, size_t *f)
{
    struct model *m = &run->model;
    const char *wrong = NULL;
    if (op->kind != OP_TOGGLE && !m->map[op->at.map].exists)
        return NULL;
    int want = op->kind == OP_TOGGLE ? 0 : predict(m, op);
    for (*f = 0; *f < m->format_count; ++*f) {
        wrong = perform_watched(run, *f, op, want);
        if (wrong)
            return wrong;
    }
    if (want == 0)
        update_model(m, op);
    for (*f = 0; *f < m->format_count && !wrong; ++*f)
        wrong = compare(run, *f, op->at.map);
    *f -= wrong != NULL;
    return wrong;
}

struct stream_result stream_run(const struct format_ops *const *formats,
                                size_t format_count, const struct op *ops,
                                size_t n)
{
    static struct run run;
    run.model.formats = formats;
    run.model.format_count = format_count;
    for (size_t f = 0; f < format_count; f++) {
        formats[f]->start();
        run.all_frames[f] = formats[f]->free_frames();
    }
    for (size_t i = 0; i < n; i++) {
        size_t f;
        const char *wrong = run_op(&run, &ops[i], &f);
        if (wrong)
            return (struct stream_result){wrong, formats[f]->name, i};
    }
    return (struct stream_result){.at = n};
}
