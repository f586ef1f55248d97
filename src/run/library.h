/* libtessera, looked for only where it is needed: by the emulator, and for the host's share of assisted designs. */
#ifndef TS_RUN_LIBRARY_H
#define TS_RUN_LIBRARY_H
#include "run/fail.h"

typedef struct ts_run_library {
    tessera_run_compiler call;
    void *handle; /* of dlopen; NULL: handed over, or not needed */
} ts_run_library;

/* Of the options: `linked`, or `compiler`. False with a message where it is not there, or an older one. */
bool ts_run_library_open(const tessera_run_open_options *options, ts_run_library *library, tessera_error *error);
void ts_run_library_close(ts_run_library *library);

/* The integer engine of a design's directory; with the weights of a file, or, NULL, its own. */
bool ts_run_engine_open(const ts_run_library *library, const char *directory, const char *weights, tessera_engine **engine,
                        tessera_error *error);

#endif
