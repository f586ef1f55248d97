/* OpenBLAS, made ready. */
#ifndef TS_BLAS_H
#define TS_BLAS_H

/* Takes the buffers that OpenBLAS works in, one for each thread that events are computed by, and fewer threads where there is no room for
   all of them. With no room for one the call ends: out of memory. OpenBLAS itself looks for them when it is first used, and, where it
   finds none, for ever. To be called before the first product, outside of parallel sections; what comes after the first call that had room
   does nothing. OpenBLAS multiplies on one thread from then on, for all of the process.
 */
void ts_blas_start(void);

#endif
