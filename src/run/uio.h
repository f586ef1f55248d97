/* What back end "uio" asks of the system, so that tests can stand for it: every access to a register goes through here. */
#ifndef TS_RUN_UIO_H
#define TS_RUN_UIO_H
#include "run/backend.h"

typedef struct ts_run_uio_calls {
    int (*open)(const char *path);                           /* as open(2), for reading and writing, without caches */
    void *(*map)(int file, size_t size);                     /* NULL: errno says why */
    void (*unmap)(void *at, size_t size, int file);          /* and closes */
    bool (*load)(const volatile uint32_t *at, uint32_t *to); /* false: the bus answered with an error */
    bool (*store)(volatile uint32_t *at, uint32_t value);
    bool (*number)(const char *path, uint64_t *value); /* a file with one number in it, as sysfs has them */
    bool (*text)(const char *path, const char *text);  /* writes it */
    int (*interrupt)(int file, int milliseconds);      /* waits for one, and allows the next: 1; 0: none came; below 0: failed */
} ts_run_uio_calls;

extern const ts_run_uio_calls *ts_run_uio; /* the system's, unless a test has put others here */

#endif
