#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "base/blas.h"

#include <cblas.h>
#include <omp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>

#include "base/boundary.h"
#include "base/memory.h"

/* Of OpenBLAS 0.3: where its products get their buffers from. Not in its header, hence weak: without them there is no more to do than to
 * ask. */
extern void *blas_memory_alloc(int unused) __attribute__((weak));
extern void blas_memory_free(void *buffer) __attribute__((weak));

/* What OpenBLAS asks for the value of OPENBLAS_NUM_THREADS, before main is reached: this one is found first. It would start threads that
   nobody uses (an event's matrices are small, threads would wait for each other longer than they compute, and events have threads of their
   own), and end the process by a signal where it cannot. */
int openblas_num_threads_env(void) __attribute__((visibility("default"))); /* of a program; the shared library keeps it to itself */
int openblas_num_threads_env(void)
{
    return 1;
}

enum { THREADS_MOST = 64 };
/* A buffer has 128 MB; the rest of the program wants some, too, before another thread gets one. */
static const size_t first_bytes = 160 << 20, next_bytes = 512 << 20;

static bool has_room(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p != MAP_FAILED && munmap(p, bytes) == 0;
}

/* How many threads got one. */
static int get_ready(int threads)
{
    void *buffer[THREADS_MOST];
    const int wanted = threads < THREADS_MOST ? threads : THREADS_MOST;
    int got = 0;
    for (; got < wanted && has_room(got ? next_bytes : first_bytes); got++)
        if (blas_memory_alloc && blas_memory_free)
            buffer[got] = blas_memory_alloc(0);
    for (int i = 0; i < got && blas_memory_alloc && blas_memory_free; i++)
        blas_memory_free(buffer[i]); /* it keeps them for the next who asks */
    if (got > 0)
        openblas_set_num_threads(1);
    return got;
}

void ts_blas_start(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static bool done;
    const int threads = omp_get_max_threads();
    pthread_mutex_lock(&lock);
    const int got = done ? threads : get_ready(threads);
    done = done || got > 0;
    pthread_mutex_unlock(&lock);
    if (got == 0)
        ts_memory_fail(first_bytes, "products of matrices (OpenBLAS)");
    if (got < threads)
        ts_parallel_most(got);
}
