/* A reader of flattened device trees, as the Devicetree Specification v0.4
 * describes them (sections are given below). It is pure: no globals, no
 * allocation, no recursion, no write to the tree; any kernel can take it along
 * with <oct/types.h> and the ISO C string functions.
 *
 * A node is named by the offset of its first token in the tree. The header lies
 * at offset 0, so 0 is no node: lookups return it when there is nothing.
 *
 * It does not translate addresses by `ranges` (2.3.8), and it believes that
 * addresses and sizes have at most two cells. */
#pragma once

#include <oct/types.h>

/* A tree that fdt_check has accepted. To be read by these functions only. */
struct fdt {
    const unsigned char *blob;
    uint32_t size;                     /* bytes, header included */
    uint32_t structure, structure_end; /* offsets of the blocks */
    uint32_t strings, strings_end;
    uint32_t reservations;
};

/* Accepts the tree at `blob`, which has at most max_size bytes, and fills *fdt
 * for the other functions; or returns -EINVAL: null, misaligned, not a tree, of
 * a version not known, truncated, or malformed anywhere. A structure that has
 * passed may be changed later by its owner: reads stay within it. */
MUST_CHECK int fdt_check(struct fdt *fdt, const void *blob, size_t max_size);

/* --- nodes --- */

/* The node that follows in the order of the tree, or 0. After node 0 comes the
 * root. *depth changes by as many levels as the walk goes down. */
uint32_t fdt_next(const struct fdt *fdt, uint32_t node, int *depth);

/* The child of `parent` after `child`, the first one after 0; or 0. The only
 * child of node 0 is the root. */
uint32_t fdt_next_child(const struct fdt *fdt, uint32_t parent, uint32_t child);

/* The node above, or 0 for the root. Walks the tree from its start. */
uint32_t fdt_parent(const struct fdt *fdt, uint32_t node);

/* With the unit address; "" for the root. */
const char *fdt_name(const struct fdt *fdt, uint32_t node);

/* The node at a path, "/soc/serial@10000000"; unit addresses may be left out
 * (2.2.3). A first component without '/' before it is an alias (3.3). The path
 * ends at ':', after which stdout-path has a device's options (3.6). */
uint32_t fdt_find_path(const struct fdt *fdt, const char *path);

/* The next node after `node`, in the order of the tree, that is compatible with
 * `what` (2.3.1); and the one that has this phandle (2.3.3). */
uint32_t fdt_find_compatible(const struct fdt *fdt, uint32_t node,
                             const char *what);
uint32_t fdt_find_phandle(const struct fdt *fdt, uint32_t phandle);

/* False if the node's status says that the device is not to be used (2.3.4). */
bool fdt_is_enabled(const struct fdt *fdt, uint32_t node);

/* --- properties --- */

/* The value, *length bytes at any alignment, or NULL if there is none. */
const void *fdt_property(const struct fdt *fdt, uint32_t node, const char *name,
                         uint32_t *length);

/* The value as a string; NULL if there is none or it does not end (2.2.4). */
const char *fdt_string(const struct fdt *fdt, uint32_t node, const char *name);

/* True if the value is a list of strings that holds `string`. */
bool fdt_has_string(const struct fdt *fdt, uint32_t node, const char *name,
                    const char *string);

/* Cell i of the value, to *out; false if there is none. */
bool fdt_cell(const struct fdt *fdt, uint32_t node, const char *name, size_t i,
              uint32_t *out);

/* A value of one or two cells, as a number; false if it is anything else. */
bool fdt_number(const struct fdt *fdt, uint32_t node, const char *name,
                uint64_t *out);

/* --- addresses --- */

/* How many ranges the node's `reg` has (2.3.6), by the cell counts of `parent`,
 * the node above; 0 if these are not understood. */
size_t fdt_reg_count(const struct fdt *fdt, uint32_t parent, uint32_t node);

/* Range i of them. Returns 0; -ENOENT when there are no more; -EINVAL for cell
 * counts that are not understood. A size of no cells is 0. */
MUST_CHECK int fdt_reg(const struct fdt *fdt, uint32_t parent, uint32_t node,
                       size_t i, uint64_t *base, uint64_t *size);

/* Entry i of the memory reservation block (5.3); false after the last. */
bool fdt_reservation(const struct fdt *fdt, size_t i, uint64_t *base,
                     uint64_t *size);
