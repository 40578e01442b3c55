/* The races of one thread. */
#include "lab/race/heap.h"

#include <stdio.h>
#include <string.h>

/* An operation: one object allocated and freed at once. */
MEASURED void measured_pairs(size_t size, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free_object(make_object(size));
}

void race_pair(size_t size, size_t operations)
{
    free_object(make_object(size));
    uint64_t start = busy_ns();
    measured_pairs(size, operations);
    report_time(busy_ns() - start, operations);
}

/* An operation: one object allocated and, when 64 are live, freed, the last one
 * first. */
MEASURED void measured_lifo(void **objects, size_t size, size_t batches)
{
    for (size_t i = 0; i < batches; i++) {
        for (size_t k = 0; k < 64; k++)
            objects[k] = make_object(size);
        for (size_t k = 64; k-- > 0;)
            free_object(objects[k]);
    }
}

void race_batch_lifo(size_t size, size_t operations)
{
    void **objects = own_memory(64 * sizeof(*objects));
    size_t batches = operations / 64 + 1;
    uint64_t start = busy_ns();
    measured_lifo(objects, size, batches);
    report_time(busy_ns() - start, batches * 64);
}

enum { ORDERS = 16 }; /* random orders of freeing, used in a circle */

/* An operation: one object of a batch of random sizes allocated, and freed in
 * random order. */
MEASURED void measured_mixed(void **objects, const uint16_t *orders, size_t n,
                             size_t batches)
{
    for (size_t i = 0, size = 0; i < batches; i++) {
        const uint16_t *order = orders + i % ORDERS * n;
        for (size_t k = 0; k < n; k++)
            objects[k] = make_object(mixed_sizes[size++ % SIZES]);
        for (size_t k = 0; k < n; k++)
            free_object(objects[order[k]]);
    }
}

static void shuffle(uint16_t *order, size_t n, uint64_t *seed)
{
    for (size_t i = 0; i < n; i++) {
        size_t other = random_below(seed, i + 1);
        order[i] = order[other];
        order[other] = (uint16_t)i;
    }
}

void race_batch_mixed(size_t n, size_t operations)
{
    void **objects = own_memory(n * sizeof(*objects));
    uint16_t *orders = own_memory(ORDERS * n * sizeof(*orders));
    size_t batches = operations / n + 1;
    uint64_t seed = 2463534242;
    for (size_t i = 0; i < ORDERS; i++)
        shuffle(orders + i * n, n, &seed);
    uint64_t start = busy_ns();
    measured_mixed(objects, orders, n, batches);
    report_time(busy_ns() - start, batches * n);
}

void population_make(struct population *p, size_t n, uint64_t seed)
{
    *p = (struct population){.n = n, .seed = seed, .next_size = seed % SIZES};
    p->objects = own_memory(n * sizeof(*p->objects));
    for (size_t i = 0; i < n; i++)
        p->objects[i] = make_object(take_size(p));
}

void population_free(struct population *p)
{
    for (size_t i = 0; i < p->n; i++)
        free_object(p->objects[i]);
}

/* A step, which is also an operation of churn and larson: a random object freed
 * and another of a random size allocated. */
void population_replace(struct population *p, size_t steps)
{
    for (size_t i = 0; i < steps; i++) {
        void **object = &p->objects[random_below(&p->seed, p->n)];
        free_object(*object);
        *object = make_object(take_size(p));
    }
}

MEASURED void measured_churn(struct population *p, size_t steps)
{
    population_replace(p, steps);
}

void race_churn(size_t live, size_t operations)
{
    struct population p;
    population_make(&p, live, 362436069);
    population_replace(&p, live);
    uint64_t start = busy_ns();
    measured_churn(&p, operations);
    report_time(busy_ns() - start, operations);
    population_free(&p);
}

/* Vectors of 16 to 4096 bytes that grow a little at each turn. */
struct vector {
    unsigned char *bytes;
    size_t size;
};

enum { VECTOR_MIN = 16, VECTOR_MAX = 4096 };

/* An operation: one vector grown by 8 to 64 bytes, or, when it is large, freed
 * and begun again. Its last byte must survive. */
MEASURED void measured_growth(struct vector *vectors, size_t n, size_t steps)
{
    uint64_t seed = 521288629;
    for (size_t i = 0; i < steps; i++) {
        struct vector *v = &vectors[i % n];
        size_t size = v->size + 8 * (1 + random_below(&seed, 8));
        if (size > VECTOR_MAX) {
            free(v->bytes);
            *v = (struct vector){NULL, 0};
            size = VECTOR_MIN;
        }
        v->bytes = realloc(v->bytes, size);
        if (!v->bytes)
            die("realloc to %zu bytes fails", size);
        if (v->size && v->bytes[v->size - 1] != (unsigned char)(i % n))
            die("realloc to %zu bytes loses the last of %zu", size, v->size);
        v->bytes[size - 1] = (unsigned char)(i % n);
        v->size = size;
    }
}

void race_realloc(size_t n, size_t operations)
{
    struct vector *vectors = own_memory(n * sizeof(*vectors));
    uint64_t start = busy_ns();
    measured_growth(vectors, n, operations);
    report_time(busy_ns() - start, operations);
    for (size_t i = 0; i < n; i++)
        free(vectors[i].bytes);
}
