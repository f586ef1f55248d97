/* Folders of a test below TMPDIR (or /tmp), with names such as users have and tools stumble over. They are removed when the test gives them
   back, and, where it fails or is interrupted before that, when the program ends. KEEP in the environment: they stay, and their names are
   printed. */
#ifndef TS_SCRATCH_H
#define TS_SCRATCH_H
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SCRATCH_MOST = 64, SCRATCH_PATH = 512 };
static char scratch_path[SCRATCH_MOST][SCRATCH_PATH]; /* "": free */

static void scratch_remove(const char *path)
{
    const pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-rf", "--", path, (char *)NULL);
        _exit(127);
    }
    if (child > 0)
        waitpid(child, NULL, 0);
}

static void scratch_end(void)
{
    for (int i = 0; i < SCRATCH_MOST; i++)
        if (scratch_path[i][0])
            scratch_remove(scratch_path[i]);
}

static void scratch_interrupted(int sig)
{
    scratch_end();
    signal(sig, SIG_DFL);
    raise(sig);
}

/* A new folder; its name lasts until it is given back. Ends the program where there can be none. */
static inline const char *scratch_new(const char *name)
{
    static int made;
    if (!getenv("KEEP") && made++ == 0) {
        atexit(scratch_end);
        signal(SIGINT, scratch_interrupted);
        signal(SIGTERM, scratch_interrupted);
        signal(SIGHUP, scratch_interrupted);
    }
    const char *below = getenv("TMPDIR");
    for (int i = 0; i < SCRATCH_MOST; i++)
        if (!scratch_path[i][0]) {
            const int length =
                snprintf(scratch_path[i], SCRATCH_PATH, "%s/%s of $HOME's #1: XXXXXX", below && *below ? below : "/tmp", name);
            if (length >= SCRATCH_PATH || !mkdtemp(scratch_path[i]))
                break;
            if (getenv("KEEP"))
                printf("kept: %s\n", scratch_path[i]);
            return scratch_path[i];
        }
    perror("no folder for the test");
    exit(1);
}

static inline void scratch_free(const char *path)
{
    for (int i = 0; i < SCRATCH_MOST; i++)
        if (path == scratch_path[i]) {
            if (!getenv("KEEP"))
                scratch_remove(path);
            scratch_path[i][0] = 0;
        }
}

#endif
