/* Wrong calls, in a child each: how it ends and what it says. */
#include "tests/lab/malloc_test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void free_twice(void)
{
    void *p = malloc(100);
    call_free(p);
    call_free(p);
}

static void free_inside(void)
{
    char *p = malloc(100);
    call_free(p + 16);
}

static void free_stack(void)
{
    char here[64];
    call_free(here + 32);
}

static void resize_freed(void)
{
    void *p = malloc(100);
    call_free(p);
    if (call_realloc(p, 1000) || errno != EINVAL)
        _exit(3);
}

static void (*const wrongs[])(void) = {free_twice, free_inside, free_stack,
                                       resize_freed};

/* After a call that was refused. */
static bool goes_on(void)
{
    char *p = call_malloc(100), *q = call_malloc(100);
    if (!p || !q || p == q)
        return false;
    call_free(p);
    call_free(q);
    return true;
}

static const char *run_wrong(unsigned i, const char *then, char text[256],
                             int *status)
{
    int ends[2];
    EXPECT(pipe(ends) == 0);
    pid_t pid = fork();
    EXPECT(pid >= 0);
    if (pid == 0) {
        struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        dup2(ends[1], STDERR_FILENO);
        setenv("OCT_BAD_FREE", then, 1);
        wrongs[i]();
        _exit(goes_on() ? 0 : 4);
    }
    close(ends[1]);
    ssize_t n = read(ends[0], text, 255);
    text[n > 0 ? n : 0] = '\0';
    close(ends[0]);
    EXPECT(waitpid(pid, status, 0) == pid);
    return NULL;
}

const char *wrong_calls(void)
{
    char text[256];
    int status;
    for (unsigned i = 0; i < COUNT(wrongs); i++) {
        const char *start = i < 3 ? "oct: free(0x" : "oct: realloc(0x";
        const char *why = run_wrong(i, "", text, &status);
        if (why)
            return why;
        EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        EXPECT(strncmp(text, start, strlen(start)) == 0);
        EXPECT(strstr(text, "): ") && strlen(strstr(text, "): ")) > 8);
        why = run_wrong(i, "report", text, &status);
        if (why)
            return why;
        EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        EXPECT(strncmp(text, start, strlen(start)) == 0);
    }
    return NULL;
}
