#include "cli/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tessera/tessera.h>
#include <unistd.h>

/* Only what a signal handler may do. */
static void interrupted(int number)
{
    tessera_remove_temporaries();
    signal(number, SIG_DFL);
    raise(number);
}

/* A standard stream that is closed would be the number of the next file that is opened, which what is printed would go into. Opened like
   this it cannot be written to, and that is found out at the end. */
static void open_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            _exit(EXIT_FAILURE);
}

void ts_cli_begin(void)
{
    open_standard_streams();
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXCPU};
    static char buffer[1 << 18]; /* so that most outputs are written once, at the end, and the reason is known where that fails */
    if (!isatty(STDOUT_FILENO))
        setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction old, ours = {.sa_handler = interrupted, .sa_flags = SA_RESTART};
        sigemptyset(&ours.sa_mask);
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL) /* nohup and the like stay as they are */
            sigaction(signals[i], &ours, NULL);
    }
    signal(SIGXFSZ, SIG_IGN);           /* a file that grows beyond its limit is a failed write like others */
    atexit(tessera_remove_temporaries); /* of a library that ends the process */
}

int ts_cli_end(const char *verb, int status)
{
    errno = 0;
    const bool failed = fflush(stdout) != 0;
    if (!failed && !ferror(stdout))
        return status;
    fprintf(stderr, "tessera%s%s: cannot write standard output: %s\n", *verb ? " " : "", verb,
            failed && errno ? strerror(errno) : "a part of it is lost");
    return status ? status : TESSERA_NOT_WRITTEN;
}
