/* The plain model of page maps that all formats have to agree with: for every
 * page of every window its frame and rights; and for each format, which cannot
 * all use the same large pages, at what level the page's leaf must be. */
#pragma once

#include "format.h"

#define MODEL_PAGES 4096ul /* pages of a window: 16 MiB */
#define MODEL_FORMATS 5

struct model_page {
    uint64_t pa;
    uint8_t prot; /* 0: not mapped */
};

struct model_map {
    bool exists;
    struct model_page page[FORMAT_WINDOWS][MODEL_PAGES];
    uint8_t level[MODEL_FORMATS][FORMAT_WINDOWS][MODEL_PAGES];
};

struct model {
    const struct format_ops *const *formats;
    size_t format_count;
    struct model_map map[FORMAT_MAPS];
};

/* A range of pages of one window of one map. */
struct model_range {
    unsigned map, window;
    size_t page, count;
};

/* True if any page of the range is mapped. */
bool model_mapped(const struct model *m, const struct model_range *r);

/* What the operations of mm/paging.h do when nothing stands against them. */
void model_map(struct model *m, const struct model_range *r, uint64_t pa,
               unsigned prot);
void model_unmap(struct model *m, const struct model_range *r);
void model_protect(struct model *m, const struct model_range *r, unsigned prot);

/* Tables that format f needs for the map: the root, and one for each span with
 * a smaller leaf in it. */
size_t model_tables(const struct model *m, size_t f, unsigned map);

/* NULL if the walker and the software MMU of format f both see the map as the
 * model has it, leaf for leaf; else who does not. */
const char *model_compare(const struct model *m, size_t f, unsigned map);
