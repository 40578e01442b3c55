/* Frame races: one workload against one manager of oct.
 *
 *     race-frames bitmap|buddy MIB WORKLOAD OPERATIONS
 *
 * The bitmap's RAM is only simulated, so it may be larger than this machine's.
 * The buddy's must be there, because its lists run through it. Prints what was
 * measured, as lines of `metric value`. */
#include "lab/race/frames.h"

#include <stdio.h>
#include <string.h>

static const struct workload {
    const char *name;
    void (*race)(struct range *r, size_t operations);
} workloads[] = {
    {"fill", race_fill},
    {"pair", race_pair},
    {"churn90", race_churn},
    {"churn90_burst", race_burst},
    {"churn90_2threads", race_churn_threads},
    {"one_left", race_one_left},
    {"one_left_cold", race_one_left_cold},
    {"run8", race_run8},
    {"run64", race_run64},
    {"run512", race_run512},
    {"impossible512", race_impossible},
    {"impossible512_anywhere", race_impossible_anywhere},
    {"fragmentation", race_reallocation},
    {"metadata_map", race_metadata_map},
    {"metadata_owners", race_metadata_owners},
};

static enum oct_manager parse_manager(const char *name)
{
    if (strcmp(name, "bitmap") == 0)
        return OCT_BITMAP;
    if (strcmp(name, "buddy") == 0)
        return OCT_BUDDY;
    die("no such manager: %s", name);
}

static const struct workload *parse_workload(const char *name)
{
    for (size_t i = 0; i < sizeof(workloads) / sizeof(*workloads); i++)
        if (strcmp(workloads[i].name, name) == 0)
            return &workloads[i];
    die("no such workload: %s", name);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        die("usage: race-frames bitmap|buddy MIB WORKLOAD OPERATIONS");
    struct range r;
    enum oct_manager manager = parse_manager(argv[1]);
    const struct workload *w = parse_workload(argv[3]);
    size_t operations = parse_count(argv[4]);
    range_make(&r, manager, (uint64_t)parse_count(argv[2]) << 20);
    w->race(&r, operations);
    range_check(&r);
    range_destroy(&r);
    return 0;
}
