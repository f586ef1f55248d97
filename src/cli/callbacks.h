/* What the library says while a verb works, on stderr; and what its members of options are called on the command line. */
#ifndef TS_CLI_CALLBACKS_H
#define TS_CLI_CALLBACKS_H
#include <tessera/tessera.h>

/* verb: in front of notes and warnings; it must outlive the result. */
tessera_callbacks ts_cli_callbacks(const char *verb);

/* "--max-tokens" of "max_tokens"; lives until some more names were asked for. */
const char *ts_cli_option(void *unused, const char *member);

#endif
