/* Flattened device trees: the blob. Sections are those of the Devicetree
 * Specification v0.4.
 *
 * The tree comes from outside, so nothing in it is believed. All of it is read
 * through load() and next_token(): load() yields 0 outside the tree, and
 * next_token() yields only tokens that lie in the structure block with all they
 * carry. Every walk below moves forward from token to token, so it ends.
 *
 * Nothing is indexed: a lookup is a walk. Kernels look a few dozen things up
 * once. What can be told through these few functions is in fdt_find.c. */
#include <oct/errno.h>
#include <oct/fdt.h>
#include <oct/string.h>

/* The header's fields (5.2). */
enum {
    MAGIC_AT = 0,
    SIZE_AT = 4,
    STRUCTURE_AT = 8,
    STRINGS_AT = 12,
    RESERVATIONS_AT = 16,
    VERSION_AT = 20,
    COMPATIBLE_AT = 24,
    STRINGS_SIZE_AT = 32,
    STRUCTURE_SIZE_AT = 36,
    HEADER_SIZE = 40,
};

#define MAGIC 0xd00dfeed
#define VERSION 16 /* the format read here; 17 only adds a field */
#define MAX_SIZE 0x7fffffff

/* Token kinds (5.4.1). */
enum { BEGIN_NODE = 1, END_NODE = 2, PROP = 3, NOP = 4, END = 9 };

struct token {
    uint32_t kind;
    uint32_t at, next;      /* its own offset and that of the token after it */
    uint32_t name;          /* BEGIN_NODE, PROP: a string that ends */
    uint32_t value, length; /* PROP */
};

/* --- the blob --- */

static uint32_t big_endian(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static uint32_t load(const struct fdt *fdt, uint64_t at)
{
    return at + 4 <= fdt->size ? big_endian(fdt->blob + at) : 0;
}

static uint64_t load_pair(const struct fdt *fdt, uint64_t at)
{
    return (uint64_t)load(fdt, at) << 32 | load(fdt, at + 4);
}

/* The offset behind the string at `at`, or 0 if it does not end before `end`.*/
static uint32_t string_end(const struct fdt *fdt, uint32_t at, uint32_t end)
{
    const unsigned char *from = fdt->blob + at;
    const unsigned char *nul = at < end ? memchr(from, 0, end - at) : NULL;
    return nul ? at + (uint32_t)(nul - from) + 1 : 0;
}

static const char *text(const struct fdt *fdt, uint32_t at)
{
    return (const char *)fdt->blob + at;
}

/* --- tokens --- */

static bool node_begin(const struct fdt *fdt, struct token *t)
{
    t->name = t->next;
    t->next = string_end(fdt, t->name, fdt->structure_end);
    return t->next != 0;
}

static bool property(const struct fdt *fdt, struct token *t)
{
    t->value = t->next + 8;
    if (t->value > fdt->structure_end)
        return false;
    t->length = load(fdt, t->next);
    uint32_t name = load(fdt, t->next + 4);
    if (t->length > fdt->structure_end - t->value ||
        name >= fdt->strings_end - fdt->strings)
        return false;
    t->name = fdt->strings + name;
    t->next = t->value + t->length;
    return string_end(fdt, t->name, fdt->strings_end) != 0;
}

/* Reads the token at `at` (5.4.1); false if it is malformed. Tokens begin at
 * multiples of four. */
static bool read_token(const struct fdt *fdt, uint32_t at, struct token *t)
{
    *t = (struct token){.at = at, .next = at + 4};
    if (t->next > fdt->structure_end)
        return false;
    t->kind = load(fdt, at);
    switch (t->kind) {
    case BEGIN_NODE:
        if (!node_begin(fdt, t))
            return false;
        break;
    case PROP:
        if (!property(fdt, t))
            return false;
        break;
    case END_NODE:
    case NOP:
    case END:
        break;
    default:
        return false;
    }
    t->next = (t->next + 3) & ~3u;
    return true;
}

static bool next_token(const struct fdt *fdt, struct token *t)
{
    return t->kind != END && read_token(fdt, t->next, t);
}

/* The token of a node; for 0, the state before the root. */
static bool node_token(const struct fdt *fdt, uint32_t node, struct token *t)
{
    if (node)
        return read_token(fdt, node, t) && t->kind == BEGIN_NODE;
    *t = (struct token){.next = fdt->structure};
    return true;
}

/* --- checking --- */

static bool blocks_fit(const struct fdt *fdt)
{
    return is_aligned(fdt->structure, 4) && is_aligned(fdt->reservations, 8) &&
           fdt->structure <= fdt->structure_end &&
           fdt->structure_end <= fdt->size &&
           fdt->strings <= fdt->strings_end && fdt->strings_end <= fdt->size;
}

/* The end of a block, or an end that cannot be if it lies past any tree's. */
static uint32_t block_end(uint32_t start, uint32_t size)
{
    return start <= MAX_SIZE && size <= MAX_SIZE ? start + size : ~0u;
}

static bool read_header(struct fdt *fdt, const void *blob, size_t max_size)
{
    if (!blob || !is_aligned((uintptr_t)blob, 8) || max_size < HEADER_SIZE)
        return false;
    *fdt = (struct fdt){.blob = blob, .size = HEADER_SIZE};
    uint32_t size = load(fdt, SIZE_AT), version = load(fdt, VERSION_AT);
    if (load(fdt, MAGIC_AT) != MAGIC || size < HEADER_SIZE || size > max_size ||
        size > MAX_SIZE || version < VERSION ||
        load(fdt, COMPATIBLE_AT) > VERSION + 1)
        return false;
    fdt->structure = load(fdt, STRUCTURE_AT);
    fdt->strings = load(fdt, STRINGS_AT);
    fdt->reservations = load(fdt, RESERVATIONS_AT);
    fdt->strings_end = block_end(fdt->strings, load(fdt, STRINGS_SIZE_AT));
    fdt->structure_end =
        version == VERSION
            ? size
            : block_end(fdt->structure, load(fdt, STRUCTURE_SIZE_AT));
    fdt->size = size;
    return blocks_fit(fdt);
}

/* The list must end, with an entry of zeroes (5.3.1). */
static bool reservations_end(const struct fdt *fdt)
{
    uint64_t at = fdt->reservations;
    while (at + 16 <= fdt->size &&
           (load_pair(fdt, at) || load_pair(fdt, at + 8)))
        at += 16;
    return at + 16 <= fdt->size;
}

/* One root, every node closed, nothing outside it, and an end (5.4.2). */
static bool structure_is_whole(const struct fdt *fdt)
{
    struct token t;
    unsigned depth = 0, roots = 0;

    for (node_token(fdt, 0, &t); next_token(fdt, &t);) {
        if (t.kind == END)
            return depth == 0 && roots == 1;
        if (t.kind == BEGIN_NODE && depth++ == 0)
            roots++;
        if (t.kind == END_NODE && depth-- == 0)
            return false;
        if (t.kind == PROP && depth == 0)
            return false;
    }
    return false;
}

int fdt_check(struct fdt *fdt, const void *blob, size_t max_size)
{
    bool good = read_header(fdt, blob, max_size) && reservations_end(fdt) &&
                structure_is_whole(fdt);
    return good ? 0 : -EINVAL;
}

/* --- nodes --- */

uint32_t fdt_next(const struct fdt *fdt, uint32_t node, int *depth)
{
    struct token t;

    if (!node_token(fdt, node, &t))
        return 0;
    while (next_token(fdt, &t)) {
        if (t.kind == END_NODE)
            --*depth;
        if (t.kind == BEGIN_NODE) {
            ++*depth;
            return t.at;
        }
    }
    return 0;
}

const char *fdt_name(const struct fdt *fdt, uint32_t node)
{
    struct token t;
    return node && node_token(fdt, node, &t) ? text(fdt, t.name) : "";
}

/* A node's properties come before its children (5.4.2). */
const void *fdt_property(const struct fdt *fdt, uint32_t node, const char *name,
                         uint32_t *length)
{
    struct token t;

    if (!node || !node_token(fdt, node, &t))
        return NULL;
    while (next_token(fdt, &t) && (t.kind == PROP || t.kind == NOP))
        if (t.kind == PROP && strcmp(text(fdt, t.name), name) == 0) {
            *length = t.length;
            return fdt->blob + t.value;
        }
    return NULL;
}

bool fdt_reservation(const struct fdt *fdt, size_t i, uint64_t *base,
                     uint64_t *size)
{
    if (i >= fdt->size / 16)
        return false;
    uint64_t at = fdt->reservations;
    for (size_t n = 0; n <= i; n++, at += 16) {
        *base = load_pair(fdt, at);
        *size = load_pair(fdt, at + 8);
        if (*base == 0 && *size == 0)
            return false;
    }
    return true;
}
