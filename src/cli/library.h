/* The library as a verb uses it: what it says goes to stderr, its errors to an exit status. */
#ifndef TS_CLI_LIBRARY_H
#define TS_CLI_LIBRARY_H
#include <tessera/tessera.h>

#include "cli/args.h"
#include "cli/callbacks.h"

/* The options of a tessera_source beside its events, where --help says so of samples and of the inputs file. */
#define TS_CLI_SOURCE(source, of_samples, of_inputs) \
    {"input", TS_ARG_TEXT, "FILE.npy", of_samples, &(source).samples, 0, 0, false}, \
        {"inputs", TS_ARG_TEXT, "FILE.json", of_inputs, &(source).inputs, 0, 0, false}, \
        {"lengths", TS_ARG_TEXT, "FILE.npy", "true tokens of each .npy event", &(source).lengths, 0, 0, false}, \
        {"mask", TS_ARG_TEXT, "FILE.npy", "padding of .npy events, nonzero = padding", &(source).mask, 0, 0, false}, \
    { \
        "standardised", TS_ARG_FLAG, NULL, "take values as they are, not as (value - mean) / std of the inputs file", \
            &(source).standardised, 0, 0, false \
    }

/* Behind a verb's last call: wipes the line of progress, says "tessera VERB: MESSAGE" where there is an error; returns the exit status. */
int ts_cli_done(const ts_verb *verb, const tessera_error *error);

/* The same with an error of the verb's own, TESSERA_USAGE; printf-like. */
int ts_cli_wrong(const ts_verb *verb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints a report, as text or JSON, and frees it; NULL will do. */
void ts_cli_print(tessera_report *report, bool as_json);

#endif
