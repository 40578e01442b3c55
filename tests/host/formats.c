/* One random stream of operations through all five page-table formats at once.
 *
 *   SEED=n    begin with this seed (default 1)
 *   STREAMS=n how many streams, one seed each
 *   STEPS=n   operations in each
 *   FORMAT=x  only this format
 */
#include "env.h"
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct format_ops format_i386, format_pae, format_sv32,
    format_sv39, format_sv48;

static const struct format_ops *const all[MODEL_FORMATS] = {
    &format_i386, &format_pae, &format_sv32, &format_sv39, &format_sv48};

int main(void)
{
    const struct format_ops *formats[MODEL_FORMATS];
    const char *only = getenv("FORMAT");
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (!only || strcmp(all[i]->name, only) == 0)
            formats[count++] = all[i];
    if (count == 0) {
        fprintf(stderr, "formats: no format %s\n", only);
        return 2;
    }
    uint64_t seed = host_number("SEED", 1);
    size_t steps = host_number("STEPS", 100);
    size_t streams = host_number("STREAMS", 10), failed = 0;
    printf("TAP version 13\n1..%zu\n", streams);
    for (size_t i = 0; i < streams; i++) {
        bool good = stream_check(formats, count, seed + i, steps);
        printf(
            "%s %zu - %zu formats agree with model, MMU and TLB, seed %llu\n",
            good ? "ok" : "not ok", i + 1, count,
            (unsigned long long)(seed + i));
        fflush(stdout);
        failed += !good;
    }
    return failed > 0;
}
