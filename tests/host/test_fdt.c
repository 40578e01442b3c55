/* The device tree reader. A writer that shares nothing with it makes random
 * trees and remembers what it wrote; everything must be read back. Then trees
 * are cut short and damaged: the reader must refuse them or read within them,
 * which AddressSanitizer watches, as each blob lies in an allocation of just
 * its size. */
#include "env.h"
#include "tests/kernel/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <oct/errno.h>
#include <oct/fdt.h>

#define NODES 24
#define BLOB_MAX 8192
#define STRINGS "#address-cells\0#size-cells\0reg\0phandle\0compatible\0status"

enum name {
    ADDRESS_CELLS = 0,
    SIZE_CELLS = 15,
    REG = 27,
    PHANDLE = 31,
    COMPATIBLE = 39,
    STATUS = 50
};

struct written {
    char name[16];
    unsigned parent; /* index; the root's is itself */
    unsigned address_cells, size_cells;
    unsigned ranges;
    uint64_t base[3], size[3];
    bool enabled;
};

struct tree {
    struct written node[NODES];
    unsigned count;
    unsigned char bytes[BLOB_MAX];
    uint32_t length;
};

static void put32(struct tree *t, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        t->bytes[t->length++] = (unsigned char)(value >> shift);
}

static void set32(struct tree *t, uint32_t at, uint32_t value)
{
    uint32_t length = t->length;
    t->length = at;
    put32(t, value);
    t->length = length;
}

static void put_cells(struct tree *t, uint64_t value, unsigned cells)
{
    if (cells == 2)
        put32(t, (uint32_t)(value >> 32));
    if (cells > 0)
        put32(t, (uint32_t)value);
}

static void put_text(struct tree *t, const char *s)
{
    memcpy(t->bytes + t->length, s, strlen(s) + 1);
    t->length += (uint32_t)strlen(s) + 1;
    while (t->length % 4)
        t->bytes[t->length++] = 0;
}

static void begin_property(struct tree *t, enum name name, uint32_t length)
{
    put32(t, 3); /* FDT_PROP */
    put32(t, length);
    put32(t, name);
}

static void put_number(struct tree *t, enum name name, uint32_t value)
{
    begin_property(t, name, 4);
    put32(t, value);
}

static void put_string(struct tree *t, enum name name, const char *value)
{
    begin_property(t, name, (uint32_t)strlen(value) + 1);
    put_text(t, value);
}

static void put_reg(struct tree *t, const struct written *w,
                    const struct written *parent)
{
    unsigned cells = parent->address_cells + parent->size_cells;
    begin_property(t, REG, w->ranges * cells * 4);
    for (unsigned i = 0; i < w->ranges; i++) {
        put_cells(t, w->base[i], parent->address_cells);
        put_cells(t, w->size[i], parent->size_cells);
    }
}

/* Writes node i and, as the tree is in order, whatever lies below it. */
static void put_node(struct tree *t, unsigned i)
{
    const struct written *w = &t->node[i];
    put32(t, 1); /* FDT_BEGIN_NODE */
    put_text(t, w->name);
    put_number(t, ADDRESS_CELLS, w->address_cells);
    put_number(t, SIZE_CELLS, w->size_cells);
    put_number(t, PHANDLE, i + 100);
    put_string(t, COMPATIBLE, i % 2 ? "oct,odd" : "oct,even");
    put_string(t, STATUS, w->enabled ? "okay" : "disabled");
    put_reg(t, w, &t->node[w->parent]);
    for (unsigned child = i + 1; child < t->count; child++)
        if (t->node[child].parent == i)
            put_node(t, child);
    put32(t, 2); /* FDT_END_NODE */
}

static uint64_t fit(uint64_t value, unsigned cells)
{
    return cells == 0 ? 0 : cells == 1 ? (uint32_t)value : value;
}

static void invent_node(struct tree *t, unsigned i, uint64_t *seed)
{
    struct written *w = &t->node[i];
    w->parent = i ? (unsigned)host_below(seed, i) : 0;
    w->address_cells = 1 + (unsigned)host_below(seed, 2);
    w->size_cells = (unsigned)host_below(seed, 3);
    w->ranges = (unsigned)host_below(seed, 4);
    w->enabled = host_below(seed, 4) != 0;
    const struct written *parent = &t->node[w->parent];
    for (unsigned r = 0; r < w->ranges; r++) {
        w->base[r] = fit(host_random(seed), parent->address_cells);
        w->size[r] = fit(host_random(seed), parent->size_cells);
    }
    memset(w->name, 0, sizeof(w->name));
    if (i)
        snprintf(w->name, sizeof(w->name), "n%u@%x", i, i * 16);
}

static void write_tree(struct tree *t, uint64_t *seed)
{
    t->count = 1 + (unsigned)host_below(seed, NODES);
    for (unsigned i = 0; i < t->count; i++)
        invent_node(t, i, seed);
    t->length = 40;
    memset(t->bytes, 0, t->length);
    for (uint64_t r = 1; r <= 2; r++) { /* memory reservations, then the end */
        put_cells(t, r << 33, 2);
        put_cells(t, r << 12, 2);
    }
    put_cells(t, 0, 2);
    put_cells(t, 0, 2);
    uint32_t structure = t->length;
    put_node(t, 0);
    put32(t, 9); /* FDT_END */
    uint32_t strings = t->length;
    memcpy(t->bytes + strings, STRINGS, sizeof(STRINGS));
    t->length += sizeof(STRINGS);
    const uint32_t header[] = {
        0xd00dfeed, t->length, structure, strings,         40,
        17,         16,        0,         sizeof(STRINGS), strings - structure};
    for (uint32_t i = 0; i < ARRAY_SIZE(header); i++)
        set32(t, i * 4, header[i]);
}

static unsigned char *copy_of(const struct tree *t, size_t length)
{
    unsigned char *copy = malloc(length ? length : 1);
    return memcpy(copy, t->bytes, length);
}

static void compare_node(struct test_result *result, const struct fdt *fdt,
                         const struct tree *t, unsigned i)
{
    const struct written *w = &t->node[i];
    uint32_t node = fdt_find_phandle(fdt, i + 100);
    EXPECT(node != 0);
    EXPECT(strcmp(fdt_name(fdt, node), w->name) == 0);
    uint32_t parent = fdt_parent(fdt, node);
    EXPECT(i == 0 ? parent == 0
                  : parent == fdt_find_phandle(fdt, w->parent + 100));
    EXPECT(fdt_is_enabled(fdt, node) == w->enabled);
    EXPECT(fdt_has_string(fdt, node, "compatible",
                          i % 2 ? "oct,odd" : "oct,even"));
    EXPECT(!fdt_has_string(fdt, node, "compatible", "oct"));
    if (i == 0)
        return;
    uint64_t base, size;
    EXPECT(fdt_reg_count(fdt, parent, node) == w->ranges);
    for (unsigned r = 0; r < w->ranges; r++) {
        EXPECT(fdt_reg(fdt, parent, node, r, &base, &size) == 0);
        EXPECT(base == w->base[r] && size == w->size[r]);
    }
    EXPECT(fdt_reg(fdt, parent, node, w->ranges, &base, &size) == -ENOENT);
}

TEST(fdt_reads_what_was_written)
{
    static struct tree t;
    uint64_t seed = test_seed, base, size;
    for (unsigned round = 0; round < 200; round++) {
        struct fdt fdt;
        write_tree(&t, &seed);
        unsigned char *blob = copy_of(&t, t.length);
        EXPECT(fdt_check(&fdt, blob, t.length) == 0);
        for (unsigned i = 0; i < t.count; i++)
            CALL(compare_node, &fdt, &t, i);
        EXPECT(fdt_find_phandle(&fdt, 99) == 0);
        EXPECT(fdt_find_path(&fdt, "/nothing") == 0);
        unsigned walked = 0;
        int depth = 0;
        for (uint32_t n = 0; (n = fdt_next(&fdt, n, &depth));)
            walked++;
        EXPECT(walked == t.count);
        EXPECT(fdt_reservation(&fdt, 1, &base, &size));
        EXPECT(base == 2ull << 33 && size == 2ull << 12);
        EXPECT(!fdt_reservation(&fdt, 2, &base, &size));
        free(blob);
    }
}

/* Reads all there is. What comes out does not matter, only where it is read. */
static size_t read_everything(const struct fdt *fdt)
{
    size_t sum = 0;
    int depth = 0;
    uint64_t base, size;
    for (uint32_t n = 0; (n = fdt_next(fdt, n, &depth)) && sum < 1 << 20;) {
        uint32_t parent = fdt_parent(fdt, n), length;
        const char *text = fdt_string(fdt, n, "compatible");
        sum += strlen(fdt_name(fdt, n)) + (text ? strlen(text) : 0) + 1;
        if (fdt_property(fdt, n, "reg", &length))
            sum += length;
        for (size_t i = 0; i < fdt_reg_count(fdt, parent, n) && i < 8; i++)
            sum += fdt_reg(fdt, parent, n, i, &base, &size) == 0;
    }
    sum += fdt_find_path(fdt, "/n1@10/n2") + fdt_find_path(fdt, "n1:x");
    sum += fdt_find_compatible(fdt, 0, "oct,odd");
    for (size_t i = 0; i < 64 && fdt_reservation(fdt, i, &base, &size); i++)
        sum += size;
    return sum;
}

/* A tree that is cut anywhere is refused. */
TEST(fdt_truncated)
{
    static struct tree t;
    uint64_t seed = test_seed + 1;
    write_tree(&t, &seed);
    for (uint32_t length = 0; length < t.length; length++) {
        struct fdt fdt;
        unsigned char *blob = copy_of(&t, length);
        EXPECT(fdt_check(&fdt, blob, length) == -EINVAL);
        free(blob);
    }
    struct fdt fdt;
    EXPECT(fdt_check(&fdt, NULL, 4096) == -EINVAL);
    unsigned char *blob = malloc(t.length + 1);
    memcpy(blob + 1, t.bytes, t.length);
    EXPECT(fdt_check(&fdt, blob + 1, t.length) == -EINVAL);
    free(blob);
}

/* Damaged before it is checked, and after. */
TEST(fdt_damaged)
{
    static struct tree t;
    uint64_t seed = test_seed + 2;
    size_t refused = 0, sum = 0, rounds = 20000;
    for (size_t round = 0; round < rounds; round++) {
        struct fdt fdt;
        if (round % 100 == 0)
            write_tree(&t, &seed);
        unsigned char *blob = copy_of(&t, t.length);
        bool late = round % 2;
        bool good = late && fdt_check(&fdt, blob, t.length) == 0;
        for (uint64_t n = 1 + host_below(&seed, 4); n > 0; n--)
            blob[host_below(&seed, t.length)] ^=
                (unsigned char)(1 << host_below(&seed, 8));
        if (!late)
            good = fdt_check(&fdt, blob, t.length) == 0;
        refused += !good;
        if (good)
            sum += read_everything(&fdt);
        free(blob);
    }
    EXPECT(refused > rounds / 20 && refused < rounds);
    EXPECT(sum > 0);
}
