#include "kernel/cmdline.h"
#include "kernel/kbench.h"
#include "kernel/ktest.h"
#include "kernel/ktrace.h"
#include "mm/kdebug.h"
#include "mm/kheap.h"
#include "mm/pmm.h"

#include <oct/arch.h>
#include <oct/print.h>
#include <oct/report.h>
#include <oct/string.h>

enum outcome { GO_ON, WELL, FAILED };

static enum outcome do_test(const char *names)
{
    return ktest_run(names) == 0 ? WELL : FAILED;
}

static enum outcome do_bench(const char *names)
{
    return kbench_run(names) > 0 ? WELL : FAILED;
}

static enum outcome do_run(const char *program)
{
    report(0, "run=%s: there are no user programs yet", program ? program : "");
    return FAILED;
}

static enum outcome do_junk(const char *value)
{
    (void)value;
    pmm_set_junk(true);
    return GO_ON;
}

static enum outcome do_replay(const char *value)
{
    size_t n = 0;
    const void *trace = ktrace_loaded(&n);
    (void)value;
    if (!trace)
        report(0, "replay: there is no initial RAM disk to replay");
    return trace && ktrace_replay(trace, n) ? WELL : FAILED;
}

/* cmdline_early or ktrace_init has done it. */
static enum outcome do_nothing(const char *value)
{
    (void)value;
    return GO_ON;
}

static const struct {
    const char *name;
    enum outcome (*act)(const char *value); /* what follows the '=', or NULL */
} known[] = {
    {"test", do_test},     {"bench", do_bench},  {"run", do_run},
    {"junk", do_junk},     {"heap", do_nothing}, {"trace", do_nothing},
    {"replay", do_replay},
};

static enum outcome do_word(char *word)
{
    char *value = strchr(word, '=');
    if (value)
        *value++ = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strcmp(word, known[i].name) == 0)
            return known[i].act(value);
    report(0, "command line: there is no \"%s\"; ignored", word);
    return GO_ON;
}

/* Some loaders put the kernel's own path in front. */
static bool is_kernel_path(const char *word)
{
    size_t n = strlen(word);
    return word[0] == '/' || (n > 4 && strcmp(word + n - 4, ".elf") == 0);
}

static char *next_word(char **rest)
{
    char *word = *rest;
    while (*word == ' ')
        word++;
    char *end = word;
    while (*end && *end != ' ')
        end++;
    *rest = *end ? end + 1 : end;
    *end = '\0';
    return *word ? word : NULL;
}

/* Nothing is copied, for there is no heap to copy to. */
void cmdline_early(const char *words)
{
    unsigned flags = 0;
    for (const char *word = words; word; word = strchr(word, ' ')) {
        while (*word == ' ')
            word++;
        if (strncmp(word, "heap=", 5) == 0)
            flags |= kdebug_parse(word + 5);
    }
    if (kdebug_set(flags))
        report(0, "no memory to debug the heap");
}

void cmdline_run(const char *words)
{
    char *copy = kstrdup(words, GFP_KERNEL), *rest = copy;
    if (!copy)
        return;
    enum outcome outcome = GO_ON;
    char *word = next_word(&rest);
    if (word && is_kernel_path(word))
        word = next_word(&rest);
    for (; word; word = next_word(&rest)) {
        enum outcome now = do_word(word);
        if (now > outcome)
            outcome = now;
    }
    kfree(copy);
    if (outcome != GO_ON)
        arch_poweroff(outcome == WELL ? 0 : 1);
}
