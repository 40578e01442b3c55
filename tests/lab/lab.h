/* What the tests of the library share. A test is a function that returns why it
 * failed, or NULL. */
#pragma once

#include "lab/oct.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((size_t)1 << 20)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

/* In a function that returns why it failed. */
#define EXPECT(condition)                                                      \
    do {                                                                       \
        __atomic_fetch_add(&lab_checks, 1, __ATOMIC_RELAXED);                  \
        if (!(condition))                                                      \
            return __FILE__ ":" TEXT(__LINE__) ": " #condition;                \
    } while (0)

struct lab_test {
    const char *name;
    const char *(*run)(void);
};

extern unsigned long lab_checks;

/* --- harness.c --- */

/* Runs it and prints a line of TAP. A test that checks nothing fails. */
bool lab_try(const struct lab_test *test, const char *choice, unsigned number);

/* The next of a sequence of numbers that *state, not 0, alone decides. */
uint64_t lab_random(uint64_t *state);

/* Fills an object (16 bytes or more) with what its address, size and owner
 * say; whether it is still so. */
void lab_stamp(void *p, size_t size, unsigned owner);
bool lab_is_stamped(const void *p, size_t size, unsigned owner);

/* --- choices.c: for programs linked with the library --- */

/* The choice that the tests run with now. */
extern enum oct_manager lab_manager;
extern enum oct_heap_kind lab_kind;

/* Reports since the start; they are printed only if the environment has V. */
unsigned lab_reports(void);

/* Runs all tests with every choice of frame manager and heap, and prints the
 * plan. Returns the program's status. */
int lab_run(const struct lab_test *tests, size_t n);
