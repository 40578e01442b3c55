/* In-kernel tests. TEST(name) { ... } defines one and puts it where the runner
 * finds it; EXPECT(condition) ends it when the condition does not hold. Counts
 * as a failure too: a test that checks nothing, and one that leaves fewer or
 * more free frames or heap bytes behind than it found. The same sources run on
 * the host, where tests/host/ supplies the runner. */
#pragma once

#include <oct/types.h>

struct test_result {
    unsigned checks;     /* EXPECTs that held */
    const char *failed;  /* the condition that did not, or NULL */
    const char *skipped; /* why the test cannot run here, or NULL */
    int line;
};

struct test {
    const char *name;
    const char *file;
    void (*run)(struct test_result *);
};

#define TEST(name)                                                             \
    static void test_##name(struct test_result *);                             \
    static const struct test test_entry_##name                                 \
        __attribute__((used, section("tests"), aligned(sizeof(void *)))) = {   \
            #name, __FILE__, test_##name};                                     \
    static void test_##name(struct test_result *result)

/* Inside TEST, or a function that has a `struct test_result *result`. */
#define EXPECT(condition)                                                      \
    do {                                                                       \
        if (!(condition)) {                                                    \
            result->failed = #condition;                                       \
            result->line = __LINE__;                                           \
            return;                                                            \
        }                                                                      \
        result->checks++;                                                      \
    } while (0)

/* Only where the format or machine lacks what the test is about. */
#define SKIP_IF(condition, why)                                                \
    do {                                                                       \
        if (condition) {                                                       \
            result->skipped = (why);                                           \
            return;                                                            \
        }                                                                      \
    } while (0)

/* Calls a helper that takes (result, ...) and ends the test if it failed. */
#define CALL(helper, ...)                                                      \
    do {                                                                       \
        helper(result, ##__VA_ARGS__);                                         \
        if (result->failed)                                                    \
            return;                                                            \
    } while (0)

/* Runs those whose name begins with one of the comma-separated words of
 * `filter` (NULL: all), printing KTAP. Returns the number that failed; no test
 * run at all is a failure. */
unsigned ktest_run(const char *filter);

/* True if `name` begins with one of the comma-separated words of `filter`, or
 * filter is NULL. */
bool ktest_selected(const char *filter, const char *name);

/* One check of the kernel's own invariants: NULL, or which does not hold. */
struct invariant {
    const char *name;
    const char *(*check)(void);
};
extern const struct invariant invariants[];
extern const size_t invariant_count;
