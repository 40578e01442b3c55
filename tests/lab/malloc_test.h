/* What the files of malloc_test share. */
#pragma once

#include "tests/lab/lab.h"

/* malloc and so on, not for the compiler to reason about. */
extern void *(*volatile call_malloc)(size_t);
extern void *(*volatile call_realloc)(void *, size_t);
extern void (*volatile call_free)(void *);

/* malloc_wrong.c: a test */
const char *wrong_calls(void);
