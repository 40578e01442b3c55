/* liboct in one program: a heap for text, and a cache for points with memory of
 * its own. */
#include "lab/oct.h"

#include <stdio.h>

struct point {
    double x, y;
};

int main(void)
{
    struct oct_frames *some = oct_frames_create(64 << 20, OCT_BITMAP);
    struct oct_frames *more = oct_frames_create(16 << 20, OCT_BUDDY);
    if (!some || !more)
        return 1;
    struct oct_heap *heap = oct_heap_create(some, OCT_TAGGED);
    struct oct_cache *points =
        oct_cache_create(more, "points", sizeof(struct point), 0, NULL);
    char *text = heap ? oct_alloc(heap, 100) : NULL;
    struct point *p = points ? oct_cache_alloc(points) : NULL;
    if (!text || !p)
        return 1;
    *p = (struct point){3, 4};
    snprintf(text, 100, "the point is (%g, %g)", p->x, p->y);
    puts(text);

    oct_free(heap, text);
    if (oct_free(heap, text) != 0) /* refused, and reported */
        puts("it was free already");
    oct_cache_free(points, p);
    if (oct_heap_check(heap) || oct_cache_check(points))
        return 1;
    oct_heap_destroy(heap);
    oct_cache_destroy(points); /* 0: no point is live */
    oct_frames_destroy(some);
    oct_frames_destroy(more);
    return 0;
}
