/* A tour of the kernel's page table: each table and each leaf once. It reads
 * entries by itself, so that it can bear witness about mm/paging.c. */
#pragma once

#include <oct/types.h>

struct table_stop {
    bool is_table;  /* else a leaf */
    paddr_t pa;     /* where the table, or what the leaf maps, begins */
    unsigned level; /* of the table, or of the entry that is the leaf */
    vaddr_t va;     /* the first address that it decides about */
};

/* Calls visit for the root, and then downwards. False: not into that table. */
void tables_visit(bool (*visit)(void *context, const struct table_stop *s),
                  void *context);
