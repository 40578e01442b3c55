#include "kernel/shell.h"
#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/line.h"

#include <oct/arch.h>
#include <oct/print.h>
#include <oct/report.h>
#include <oct/string.h>

#define USAGE_END 28

extern const struct command commands_start[], commands_end[];

static const struct command *find(const char *name)
{
    for (const struct command *c = commands_start; c < commands_end; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

/* The linker lays commands down in any order; people look them up by name. */
static const struct command *next_by_name(const struct command *after)
{
    const struct command *best = NULL;
    for (const struct command *c = commands_start; c < commands_end; c++)
        if ((!after || strcmp(c->name, after->name) > 0) &&
            (!best || strcmp(c->name, best->name) < 0))
            best = c;
    return best;
}

static const char *name_of(size_t i)
{
    const struct command *c = NULL;
    do
        c = next_by_name(c);
    while (c && i-- > 0);
    return c ? c->name : NULL;
}

/* True if `most` letters left out, put in or changed make a into b. */
static bool similar(const char *a, const char *b, unsigned most)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    if (*a == *b)
        return true;
    if (most == 0)
        return false;
    return (*a && similar(a + 1, b, most - 1)) ||
           (*b && similar(a, b + 1, most - 1)) ||
           (*a && *b && similar(a + 1, b + 1, most - 1));
}

static void say_unknown(const char *name)
{
    kprintf("There is no command \"%.40s\"; ", name);
    for (unsigned most = 1; most <= 2 && most < strlen(name); most++)
        for (const struct command *c = commands_start; c < commands_end; c++)
            if (similar(name, c->name, most)) {
                kprintf("did you mean \"%s\"?\n", c->name);
                return;
            }
    kprintf("\"help\" lists them.\n");
}

static void print_usage(const struct command *c)
{
    kprintf("usage: %s%s%s\n", c->name, *c->usage ? " " : "", c->usage);
}

static void run(int argc, char **argv)
{
    const struct command *c = argc > 0 ? find(argv[0]) : NULL;
    if (c && !c->run(argc, argv))
        print_usage(c);
    else if (!c && argc > 0)
        say_unknown(argv[0]);
}

void shell_run(void)
{
    static struct line line;
    if (line_init(&line, "oct> ", name_of) < 0) {
        report(0, "no memory for a shell");
        arch_poweroff(1);
    }
    kprintf("\nType \"help\" for the commands; a tab completes them.\n");
    for (;;) {
        line_read(&line);
        run(line_split(&line), line.words);
    }
}

bool command_number(const char *word, size_t *out)
{
    unsigned long long n;
    if (!word || !parse_number(word, &n) || n > SIZE_MAX)
        return false;
    *out = (size_t)n;
    return true;
}

COMMAND(help, "[COMMAND]", "lists the commands, or says what one does")
{
    const struct command *c = NULL;
    if (argc > 2)
        return false;
    if (argc == 2 && !(c = find(argv[1]))) {
        say_unknown(argv[1]);
    } else if (c) {
        kprintf("%s: %s\n", c->name, c->help);
        print_usage(c);
    } else {
        while ((c = next_by_name(c)))
            kprintf("  " BOLD "%s" PLAIN " %-*s  %s\n", c->name,
                    USAGE_END - (int)strlen(c->name), c->usage, c->help);
    }
    return true;
}

COMMAND(poweroff, "", "powers the machine off")
{
    if (argc > 1)
        return false;
    arch_poweroff(0);
}
