/* The prompt on the console. */
#pragma once

/* Reads commands (kernel/command.h) and runs them, for ever. */
__attribute__((noreturn)) void shell_run(void);
