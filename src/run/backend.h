/* Back ends: what tessera_run_open_options.backend names. */
#ifndef TS_RUN_BACKEND_H
#define TS_RUN_BACKEND_H
#include "run/device.h"
#include "run/library.h"

/* What a back end is opened with, for one device of a package, or for all of them together. */
typedef struct ts_run_opening {
    const ts_run_package *package;
    const ts_run_library *library;
    const char *arguments; /* behind the colon; "" */
    double timeout;
} ts_run_opening;

/* Makes devices first ... first + count - 1 of the package; the caller has named them and closes those that came about, also after errors.
 */
typedef bool ts_run_open_devices(const ts_run_opening *opening, int first, int count, ts_run_device **devices, tessera_error *error);

ts_run_open_devices ts_run_open_emulator, ts_run_open_sim, ts_run_open_uio, ts_run_open_xrt;

/* All devices of the package, from the option's text. */
bool ts_run_open_backend(const ts_run_opening *opening, const char *backend, ts_run_device **devices, tessera_error *error);

/* Whether the back end computes with libtessera. */
bool ts_run_backend_needs_library(const char *backend);

/* What every back end does first: the name for messages, sizes. */
void ts_run_device_begin(ts_run_device *device, const ts_run_device_kind *kind, const ts_run_opening *opening, int number);

/* The next KEY=NUMBER or NAME of a list with commas, *at moves behind it; false at the end. Room: bytes of each. */
bool ts_run_argument(const char **at, char *key, char *value, size_t room);

#endif
