#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "base/blas.h"

#include <cblas.h>
#include <omp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>

#include "base/memory.h"

/* Of OpenBLAS 0.3: where its products get their buffers from. Not in its header, hence weak: without them there is no more to do than to ask. */
extern void *blas_memory_alloc(int unused) __attribute__((weak));
extern void blas_memory_free(void *buffer) __attribute__((weak));

enum { THREADS_MOST = 64 };
static const size_t buffer_bytes = 160 << 20; /* 128 MB, and some for everything else */

static bool room_for_one(void)
{
    void *p = mmap(NULL, buffer_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p != MAP_FAILED && munmap(p, buffer_bytes) == 0;
}

void ts_blas_start(void)
{
    static atomic_flag done = ATOMIC_FLAG_INIT;
    void *buffer[THREADS_MOST];
    if (atomic_flag_test_and_set(&done))
        return;
    const int threads = omp_get_max_threads(), wanted = threads < THREADS_MOST ? threads : THREADS_MOST;
    int got = 0;
    for (; got < wanted && room_for_one(); got++)
        if (blas_memory_alloc && blas_memory_free)
            buffer[got] = blas_memory_alloc(0);
    for (int i = 0; i < got && blas_memory_alloc && blas_memory_free; i++)
        blas_memory_free(buffer[i]); /* it keeps them for the next who asks */
    if (got == 0)
        ts_memory_fail(buffer_bytes, "products of matrices (OpenBLAS)");
    if (got < threads)
        omp_set_num_threads(got);
    /* An event's matrices are small: BLAS threads wait for each other longer than they compute, and events have threads of their own. */
    openblas_set_num_threads(1);
}
