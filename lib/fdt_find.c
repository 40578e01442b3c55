/* Flattened device trees: finding things. All of it is told through fdt_next,
 * fdt_name and fdt_property, which yield only what lies in the tree; sections
 * are those of the Devicetree Specification v0.4. */
#include <oct/errno.h>
#include <oct/fdt.h>
#include <oct/string.h>

/* --- nodes --- */

uint32_t fdt_next_child(const struct fdt *fdt, uint32_t parent, uint32_t child)
{
    int depth = child ? 1 : 0;
    uint32_t node = child ? child : parent;

    do {
        node = fdt_next(fdt, node, &depth);
    } while (node && depth > 1);
    return depth == 1 ? node : 0;
}

/* The root has depth 1. */
static int depth_of(const struct fdt *fdt, uint32_t node)
{
    int depth = 0;
    uint32_t n = 0;

    do {
        n = fdt_next(fdt, n, &depth);
    } while (n && n < node);
    return depth;
}

uint32_t fdt_parent(const struct fdt *fdt, uint32_t node)
{
    int above = depth_of(fdt, node) - 1, depth = 0;
    uint32_t parent = 0, n = 0;

    while ((n = fdt_next(fdt, n, &depth)) && n < node)
        if (depth == above)
            parent = n;
    return parent;
}

/* --- paths --- */

/* True if a component of a path, `length` characters at `name`, means the node.
 * It may leave out the unit address after '@' (2.2.3). */
static bool name_matches(const struct fdt *fdt, uint32_t node, const char *name,
                         size_t length)
{
    const char *full = fdt_name(fdt, node);

    if (strncmp(full, name, length) != 0)
        return false;
    return full[length] == '\0' ||
           (full[length] == '@' && !memchr(name, '@', length));
}

static size_t component_length(const char *path)
{
    size_t n = 0;
    while (path[n] && path[n] != '/' && path[n] != ':')
        n++;
    return n;
}

/* Follows "/name/name" down from a node. */
static uint32_t follow(const struct fdt *fdt, uint32_t node, const char *path)
{
    while (node && *path == '/') {
        size_t length = component_length(++path);
        if (length == 0)
            continue;
        uint32_t child = 0;
        do {
            child = fdt_next_child(fdt, node, child);
        } while (child && !name_matches(fdt, child, path, length));
        node = child;
        path += length;
    }
    return node;
}

/* An alias is a property of /aliases whose value is a path (3.3). */
static uint32_t find_alias(const struct fdt *fdt, const char *name,
                           size_t length)
{
    char alias[32] = ""; /* 31 characters at most (2.2.4) */
    uint32_t root = fdt_next_child(fdt, 0, 0);

    if (length >= sizeof(alias))
        return 0;
    memcpy(alias, name, length);
    const char *path = fdt_string(fdt, follow(fdt, root, "/aliases"), alias);
    return path && *path == '/' ? follow(fdt, root, path) : 0;
}

uint32_t fdt_find_path(const struct fdt *fdt, const char *path)
{
    size_t length = component_length(path);

    if (length == 0)
        return follow(fdt, fdt_next_child(fdt, 0, 0), path);
    return follow(fdt, find_alias(fdt, path, length), path + length);
}

/* --- properties that many nodes have --- */

uint32_t fdt_find_compatible(const struct fdt *fdt, uint32_t node,
                             const char *what)
{
    int depth = 0;

    do {
        node = fdt_next(fdt, node, &depth);
    } while (node && !fdt_has_string(fdt, node, "compatible", what));
    return node;
}

uint32_t fdt_find_phandle(const struct fdt *fdt, uint32_t phandle)
{
    int depth = 0;
    uint32_t node = 0, value;

    while ((node = fdt_next(fdt, node, &depth)))
        if (fdt_cell(fdt, node, "phandle", 0, &value) && value == phandle)
            break;
    return node;
}

bool fdt_is_enabled(const struct fdt *fdt, uint32_t node)
{
    const char *status = fdt_string(fdt, node, "status");
    return !status || strcmp(status, "okay") == 0 || strcmp(status, "ok") == 0;
}

/* --- values --- */

/* A number of `count` cells, at most two (2.2.4). */
static uint64_t load_cells(const unsigned char *p, uint32_t count)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < 4 * count; i++)
        value = value << 8 | p[i];
    return value;
}

const char *fdt_string(const struct fdt *fdt, uint32_t node, const char *name)
{
    uint32_t length;
    const char *s = fdt_property(fdt, node, name, &length);
    return s && memchr(s, 0, length) ? s : NULL;
}

bool fdt_has_string(const struct fdt *fdt, uint32_t node, const char *name,
                    const char *string)
{
    uint32_t left;
    const char *s = fdt_property(fdt, node, name, &left), *nul;

    while (s && (nul = memchr(s, 0, left)) != NULL) {
        if (strcmp(s, string) == 0)
            return true;
        left -= (uint32_t)(nul + 1 - s);
        s = nul + 1;
    }
    return false;
}

bool fdt_cell(const struct fdt *fdt, uint32_t node, const char *name, size_t i,
              uint32_t *out)
{
    uint32_t length;
    const unsigned char *p = fdt_property(fdt, node, name, &length);

    if (!p || i >= length / 4)
        return false;
    *out = (uint32_t)load_cells(p + 4 * i, 1);
    return true;
}

bool fdt_number(const struct fdt *fdt, uint32_t node, const char *name,
                uint64_t *out)
{
    uint32_t length;
    const unsigned char *p = fdt_property(fdt, node, name, &length);

    if (!p || (length != 4 && length != 8))
        return false;
    *out = load_cells(p, length / 4);
    return true;
}

/* --- addresses --- */

/* Where a node's ranges are, and how they are written. */
struct ranges {
    const unsigned char *at;
    uint32_t count;
    uint32_t address, size; /* cells */
};

/* A count of cells, which need not be given (2.3.5). */
static uint32_t cells(const struct fdt *fdt, uint32_t parent, const char *name,
                      uint32_t otherwise)
{
    uint32_t count;
    return fdt_cell(fdt, parent, name, 0, &count) ? count : otherwise;
}

static int find_ranges(const struct fdt *fdt, uint32_t parent, uint32_t node,
                       struct ranges *r)
{
    uint32_t length;

    r->address = cells(fdt, parent, "#address-cells", 2);
    r->size = cells(fdt, parent, "#size-cells", 1);
    if (r->address < 1 || r->address > 2 || r->size > 2)
        return -EINVAL;
    r->at = fdt_property(fdt, node, "reg", &length);
    if (!r->at)
        return -ENOENT;
    r->count = length / (4 * (r->address + r->size));
    return 0;
}

size_t fdt_reg_count(const struct fdt *fdt, uint32_t parent, uint32_t node)
{
    struct ranges r;
    return find_ranges(fdt, parent, node, &r) == 0 ? r.count : 0;
}

int fdt_reg(const struct fdt *fdt, uint32_t parent, uint32_t node, size_t i,
            uint64_t *base, uint64_t *size)
{
    struct ranges r;
    int error = find_ranges(fdt, parent, node, &r);

    if (error)
        return error;
    if (i >= r.count)
        return -ENOENT;
    const unsigned char *at = r.at + 4 * (r.address + r.size) * i;
    *base = load_cells(at, r.address);
    *size = load_cells(at + 4 * r.address, r.size);
    return 0;
}
