#include "kernel/tables.h"
#include "mm/paging.h"

#include <oct/kview.h>

struct tour {
    bool (*visit)(void *context, const struct table_stop *s);
    void *context;
};

static void tour_table(const struct tour *t, const struct table_stop *table)
{
    bool is_root = table->level == PT_LEVELS - 1;
    size_t entries = (size_t)1 << (is_root ? PT_ROOT_BITS : PT_INDEX_BITS);
    if (!t->visit(t->context, table))
        return;
    const pte_t *e = phys_to_virt(table->pa);
    struct table_stop stop = *table;
    for (size_t i = 0; i < entries; i++, stop.va += paging_span(table->level)) {
        stop.pa = pte_addr(e[i]);
        stop.is_table = pte_is_table(e[i], table->level);
        stop.level = table->level - stop.is_table;
        if (stop.is_table)
            tour_table(t, &stop);
        else if (pte_present(e[i]))
            (void)t->visit(t->context, &stop);
    }
}

void tables_visit(bool (*visit)(void *context, const struct table_stop *s),
                  void *context)
{
    const struct tour tour = {visit, context};
    const struct table_stop root = {true, kernel_map.root, PT_LEVELS - 1, 0};
    tour_table(&tour, &root);
}
