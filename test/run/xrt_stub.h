/* What tests ask of xrt_stub.c, and what it has seen. */
#ifndef TS_XRT_STUB_H
#define TS_XRT_STUB_H
#include <stdbool.h>

typedef struct xrt_stub_state {
    int open, kernels, buffers, runs, left_running;
    bool loaded;
    /* What goes wrong: */
    bool hang, kernel_error, long_result, no_memory;
    int register_error, sync_error, missing_kernel;
} xrt_stub_state;

#endif
