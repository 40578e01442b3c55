/* What octtrace needs of the host. None of it uses malloc, whose use is what is
 * measured. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <oct/replay.h>

struct text {
    const char *path; /* for messages */
    const uint8_t *bytes;
    size_t n;
};

/* Says why on standard error, and ends with status 2. */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format,
                                                         ...);

/* Zeroed memory, never given back; does not fail. */
void *host_map(size_t bytes);

/* A whole file, or standard input if `path` is "-". Dies if it cannot. */
struct text host_read(const char *path);

/* malloc and its kin; memory taken is what the process has resident; the clock
 * counts nanoseconds. */
extern const struct replay_ops host_malloc;

/* Finds the last whole trace among lines that the kernel's "trace dump" printed
 * (and others, with what they have in front), and gives its bytes. */
bool console_trace(const struct text *console, struct text *trace);
