/* The races of two threads. Each makes `operations`, and the time is that of
 * the wall: with two processors and no contention it is that of one thread. */
#include "lab/race/heap.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

static pthread_t start_thread(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, body, argument) != 0)
        die("cannot start a thread");
    return thread;
}

/* Larson and Krishnan's server: threads replace random objects for a while,
 * then end and leave what is live to new threads. */
enum { LARSON_STEPS = 20000 };

static void *larson_thread(void *argument)
{
    population_replace(argument, LARSON_STEPS);
    return NULL;
}

void race_larson(size_t live, size_t operations)
{
    struct population p[2];
    population_make(&p[0], live, 123456789);
    population_make(&p[1], live, 362436069);
    size_t rounds = operations / LARSON_STEPS + 1;
    uint64_t start = now_ns();
    for (size_t i = 0; i < rounds; i++) {
        pthread_t a = start_thread(larson_thread, &p[i % 2]);
        pthread_t b = start_thread(larson_thread, &p[1 - i % 2]);
        pthread_join(a, NULL);
        pthread_join(b, NULL);
    }
    report_time(now_ns() - start, rounds * LARSON_STEPS);
    population_free(&p[0]);
    population_free(&p[1]);
}

/* One thread allocates, the other frees. Between them is a ring; either tells
 * the other only now and then, so that the ring costs little. */
enum { TELL = 32, SPINS = 2000 };

struct ring {
    void **slots;
    size_t n; /* a power of two, a multiple of TELL */
    size_t total;
    _Alignas(64) atomic_size_t put;
    _Alignas(64) atomic_size_t taken;
};

/* Waits until *counter is at least `least`. */
static void await(atomic_size_t *counter, size_t least)
{
    for (size_t i = 1;
         atomic_load_explicit(counter, memory_order_acquire) < least; i++)
        if (i % SPINS == 0)
            sched_yield();
}

static void *produce(void *argument)
{
    struct ring *r = argument;
    for (size_t i = 0; i < r->total; i++) {
        if (i % TELL == 0 && i + TELL > r->n)
            await(&r->taken, i + TELL - r->n);
        r->slots[i & (r->n - 1)] = make_object(small_sizes[i % SIZES]);
        if ((i + 1) % TELL == 0)
            atomic_store_explicit(&r->put, i + 1, memory_order_release);
    }
    return NULL;
}

static void consume(struct ring *r)
{
    for (size_t i = 0; i < r->total; i++) {
        if (i % TELL == 0)
            await(&r->put, i + TELL);
        free_object(r->slots[i & (r->n - 1)]);
        if ((i + 1) % TELL == 0)
            atomic_store_explicit(&r->taken, i + 1, memory_order_release);
    }
}

void race_prodcons(size_t n, size_t operations)
{
    struct ring r = {.n = n, .total = (operations / TELL + 1) * TELL};
    r.slots = own_memory(n * sizeof(*r.slots));
    uint64_t start = now_ns();
    pthread_t producer = start_thread(produce, &r);
    consume(&r);
    pthread_join(producer, NULL);
    report_time(now_ns() - start, r.total);
}
