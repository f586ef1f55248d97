#define TS_FAIL_CODE TS_NO_TOOL
#include "process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

enum { CANNOT_EXECUTE = 127 };

bool ts_path_is_plain(const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";
    return *path && *path != '-' && strspn(path, plain) == strlen(path);
}

int ts_process_run(const char *dir, const char *const *argv, const char *log, ts_err *err)
{
    const int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (out < 0) {
        ts_fail_as(err, ts_code_of_write(errno), "%s: cannot write: %s", log, strerror(errno));
        return -1;
    }
    const char *temp = getenv("TMPDIR");
    const pid_t pid = fork();
    if (pid == 0) {
        if (temp && !ts_path_is_plain(temp))
            (void)unsetenv("TMPDIR");
        /* exec does not change what the array's pointers point to, its prototype is older than const. */
        if (chdir(dir) == 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0)
            execvp(argv[0], (char *const *)argv);
        _exit(CANNOT_EXECUTE);
    }
    const int fork_errno = errno;
    close(out);
    if (pid < 0) {
        ts_fail(err, "cannot start %s: %s", argv[0], strerror(fork_errno));
        return -1;
    }
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) {
            ts_fail(err, "cannot wait for %s: %s", argv[0], strerror(errno));
            return -1;
        }
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_EXECUTE) {
        ts_fail(err, "cannot run %s in %s: is it installed and in the PATH?", argv[0], dir);
        return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

const char *ts_process_log_tail(ts_arena *arena, const char *log, int chars)
{
    ts_err ignored = {0};
    size_t size;
    const char *text = ts_file_read(arena, log, &size, &ignored);
    if (!text || size == 0)
        return "";
    const char *from = size > (size_t)chars ? text + size - (size_t)chars : text;
    if (from > text) { /* whole lines */
        const char *line = strchr(from, '\n');
        from = line && line[1] ? line + 1 : from;
    }
    return from;
}
