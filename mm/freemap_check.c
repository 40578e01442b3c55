/* What is known about groups and wishes, against the bitmap. */
#include "mm/freemap_words.h"

static size_t count_free(const struct freemap *f, size_t group)
{
    size_t free = 0, start = group_start(f, group);
    for (size_t i = start; i < start + group_size(f); i += WORD_BITS)
        free += (size_t)__builtin_popcountl(free_word(f, i));
    return free;
}

/* A wish is remembered as one that cannot come true, and could. */
static bool is_refused_for_nothing(const struct freemap *f)
{
    for (size_t from = 0, to; from < f->units; from = to + 1) {
        for (to = from; to < f->units && freemap_all_free(f, to, 1);)
            to++;
        if (f->none.n <= f->units &&
            place_in(f, &f->none, from, to) != FREEMAP_NONE)
            return true;
    }
    return false;
}

const char *freemap_check(const struct freemap *f)
{
    size_t free = 0;
    for (size_t g = 0; g < group_count(f); g++) {
        free += f->group_free[g];
        if (f->group_free[g] != count_free(f, g))
            return "freemap: a group's count is not its bitmap's";
        if (f->inside.length[g] < longest_inside(f, g) ||
            (f->inside.length[g] == group_size(f) &&
             f->group_free[g] < group_size(f)))
            return "freemap: a group's bound is not its bitmap's";
        if (f->across.length[g] < (g ? length_across(f, g) : 0))
            return "freemap: the bound of a border is not the bitmap's";
    }
    if (f->recent < f->recent_end &&
        !freemap_all_free(f, f->recent, f->recent_end - f->recent))
        return "freemap: what was given last is not free";
    if (free != f->free)
        return "freemap: the count is not that of its groups";
    if (!ranks_check(&f->inside, group_count(f)) ||
        !ranks_check(&f->across, group_count(f)))
        return "freemap: a group is ranked wrong";
    return is_refused_for_nothing(f) ? "freemap: a run is there after all"
                                     : NULL;
}
