#include "tests/lab/lab.h"

enum oct_manager lab_manager;
enum oct_heap_kind lab_kind;

static unsigned reports;

static void count_report(const char *line)
{
    __atomic_fetch_add(&reports, 1, __ATOMIC_RELAXED);
    if (getenv("V"))
        fprintf(stderr, "# report: %s\n", line);
}

unsigned lab_reports(void)
{
    return __atomic_load_n(&reports, __ATOMIC_RELAXED);
}

int lab_run(const struct lab_test *tests, size_t n)
{
    static const struct {
        enum oct_manager manager;
        enum oct_heap_kind kind;
        const char *name;
    } choices[] = {{OCT_BITMAP, OCT_TAGGED, "bitmap, tagged: "},
                   {OCT_BITMAP, OCT_SLAB, "bitmap, slab: "},
                   {OCT_BUDDY, OCT_TAGGED, "buddy, tagged: "},
                   {OCT_BUDDY, OCT_SLAB, "buddy, slab: "}};
    unsigned number = 0, good = 0;
    oct_on_report(count_report);
    for (size_t c = 0; c < COUNT(choices); c++) {
        lab_manager = choices[c].manager;
        lab_kind = choices[c].kind;
        for (size_t i = 0; i < n; i++)
            good += lab_try(&tests[i], choices[c].name, ++number);
    }
    printf("1..%u\n", number);
    return good == number && number > 0 ? 0 : 1;
}
