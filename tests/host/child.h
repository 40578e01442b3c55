/* Running a piece of a test in a process of its own, so that it may crash and
 * so that what it did to static variables is gone afterwards. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define CHILD_WHY 512

/* Runs body(argument, why, CHILD_WHY) in a child, which fills `why` when it
 * returns false. Returns what the body returned; false if the child died or ran
 * out of time, and says so in `why`. Quiet children write nothing to stderr. */
bool child_run(bool (*body)(const void *argument, char *why, size_t size),
               const void *argument, bool quiet, char why[CHILD_WHY]);
