#include "child.h"
#include "env.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PASSED 0
/* Any other status: a sanitizer or the C library stopped it. */
#define FAILED 3

NORETURN static void be_child(bool (*body)(const void *, char *, size_t),
                              const void *argument, bool quiet, int out)
{
    char why[CHILD_WHY] = "";
    int null = open("/dev/null", O_WRONLY);
    if (quiet && null >= 0)
        dup2(null, STDERR_FILENO);
    alarm((unsigned)host_number("LIMIT", 120));
    bool good = body(argument, why, sizeof(why));
    fflush(stdout);
    if (write(out, why, strlen(why)) < 0)
        good = false;
    _exit(good ? PASSED : FAILED);
}

static void say_how_it_died(int status, char why[CHILD_WHY])
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(why, CHILD_WHY, "took too long");
    else if (WIFSIGNALED(status))
        snprintf(why, CHILD_WHY, "died: %s", strsignal(WTERMSIG(status)));
    else
        snprintf(why, CHILD_WHY, "stopped with status %d: see stderr",
                 WEXITSTATUS(status));
}

bool child_run(bool (*body)(const void *, char *, size_t), const void *argument,
               bool quiet, char why[CHILD_WHY])
{
    int pipes[2], status = -1;
    fflush(stdout);
    if (pipe(pipes) != 0)
        abort();
    pid_t child = fork();
    if (child < 0)
        abort();
    if (child == 0) {
        close(pipes[0]);
        be_child(body, argument, quiet, pipes[1]);
    }
    close(pipes[1]);
    ssize_t n, got = 0;
    while ((n = read(pipes[0], why + got, (size_t)(CHILD_WHY - 1 - got))) > 0)
        got += n;
    why[got] = '\0';
    close(pipes[0]);
    waitpid(child, &status, 0);
    bool returned = WIFEXITED(status) && (WEXITSTATUS(status) == PASSED ||
                                          WEXITSTATUS(status) == FAILED);
    if (!returned)
        say_how_it_died(status, why);
    return returned && WEXITSTATUS(status) == PASSED;
}
