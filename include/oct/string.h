/* The part of the C library that a freestanding compiler still calls, and the
 * little more that the kernel wants. As in ISO C unless said. */
#pragma once

#include <oct/types.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *p, int byte, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

/* Copies at most size - 1 characters and always ends with a NUL.
 * Returns strlen(from): at least size means that it was cut. */
size_t strlcpy(char *to, const char *from, size_t size);

/* Reads an unsigned number: decimal, or hexadecimal after 0x; a final K, M or
 * G multiplies. Stores it and returns true only if all of s is such a number
 * that fits. */
bool parse_number(const char *s, unsigned long long *out);
