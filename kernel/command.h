/* Commands of the shell. COMMAND(name, usage, help) { ... } defines one and
 * puts it where the shell finds it; the body has argc and argv (argv[0] is the
 * name, argv[argc] NULL) and returns false if the arguments make no sense,
 * which prints the usage. Commands allocate only what they are asked to, and
 * say so when there is no memory. */
#pragma once

#include <oct/types.h>

struct command {
    const char *name;
    const char *usage; /* of the arguments; "" if there are none */
    const char *help;  /* one line */
    bool (*run)(int argc, char **argv);
};

#define COMMAND(word, usage, help)                                             \
    static bool command_##word(int, char **);                                  \
    static const struct command command_entry_##word __attribute__((           \
        used, section("commands"), aligned(sizeof(void *)))) = {               \
        #word, usage, help, command_##word};                                   \
    static bool command_##word(int argc __attribute__((unused)),               \
                               char **argv __attribute__((unused)))

/* Reads an address or a size: false if it is none, or does not fit. */
bool command_number(const char *word, size_t *out);
