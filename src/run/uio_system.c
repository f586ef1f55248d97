/* Linux: UIO and u-dma-buf below /dev. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "run/uio.h"

/* ---- A register that answers with an error is a bus error of the thread that reads it: it comes back from there. The process's own
   handler gets all others. */

static _Thread_local sigjmp_buf *volatile guard __attribute__((tls_model("initial-exec"))); /* which needs nothing of the loader */
static struct sigaction before;
static pthread_mutex_t installing = PTHREAD_MUTEX_INITIALIZER;
static int installed;

static void bus_error(int signal, siginfo_t *info, void *context)
{
    if (guard)
        siglongjmp(*guard, 1);
    if (before.sa_flags & SA_SIGINFO)
        before.sa_sigaction(signal, info, context);
    else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
        before.sa_handler(signal);
    else {
        sigaction(signal, &before, NULL); /* and happens again */
    }
}

static void install(void)
{
    pthread_mutex_lock(&installing);
    if (installed++ == 0) {
        struct sigaction own;
        memset(&own, 0, sizeof own);
        own.sa_sigaction = bus_error;
        own.sa_flags = SA_SIGINFO | SA_NODEFER;
        sigaction(SIGBUS, &own, &before);
    }
    pthread_mutex_unlock(&installing);
}

static void uninstall(void)
{
    pthread_mutex_lock(&installing);
    if (--installed == 0)
        sigaction(SIGBUS, &before, NULL);
    pthread_mutex_unlock(&installing);
}

/* What was written to memory is there before a register tells of it, and the other way round. */
static void in_order(void)
{
#if defined(__aarch64__) || defined(__ARM_ARCH_7A__)
    __asm__ volatile("dsb sy" ::: "memory");
#else
    __sync_synchronize();
#endif
}

static bool load_register(const volatile uint32_t *at, uint32_t *to)
{
    sigjmp_buf here;
    if (sigsetjmp(here, 0)) {
        guard = NULL;
        return false;
    }
    guard = &here;
    *to = *at;
    in_order();
    guard = NULL;
    return true;
}

static bool store_register(volatile uint32_t *at, uint32_t value)
{
    sigjmp_buf here;
    if (sigsetjmp(here, 0)) {
        guard = NULL;
        return false;
    }
    guard = &here;
    in_order();
    *at = value;
    guard = NULL;
    return true;
}

/* ---- Files */

static int open_file(const char *path)
{
    return open(path, O_RDWR | O_SYNC | O_CLOEXEC);
}

static void *map(int file, size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (at == MAP_FAILED)
        return NULL;
    install();
    return at;
}

static void unmap(void *at, size_t size, int file)
{
    if (at) {
        munmap(at, size);
        uninstall();
    }
    if (file >= 0)
        close(file);
}

static bool number(const char *path, uint64_t *value)
{
    char text[64] = "", *end;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    const ssize_t got = read(file, text, sizeof text - 1);
    close(file);
    if (got <= 0)
        return false;
    *value = strtoull(text, &end, 0);
    return end != text;
}

static bool write_text(const char *path, const char *text)
{
    const int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    const size_t length = strlen(text);
    const bool ok = write(file, text, length) == (ssize_t)length;
    return close(file) == 0 && ok;
}

/* UIO: a read of four bytes takes an interrupt, a write of a one allows the next. */
static int interrupt(int file, int milliseconds)
{
    struct pollfd wanted = {.fd = file, .events = POLLIN};
    uint32_t count, one = 1;
    const int ready = poll(&wanted, 1, milliseconds);
    if (ready <= 0)
        return ready < 0 && errno != EINTR ? -1 : 0;
    if (read(file, &count, sizeof count) != (ssize_t)sizeof count)
        return -1;
    return write(file, &one, sizeof one) == (ssize_t)sizeof one ? 1 : -1;
}

static const ts_run_uio_calls linux_calls = {open_file, map, unmap, load_register, store_register, number, write_text, interrupt};
const ts_run_uio_calls *ts_run_uio = &linux_calls;
