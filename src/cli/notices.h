/* What the library says while a verb works, on stderr. */
#ifndef TS_CLI_NOTICES_H
#define TS_CLI_NOTICES_H
#include "flow/notices.h"

/* verb: in front of notes and warnings; it must outlive the result. */
ts_notices ts_cli_notices(const char *verb);

#endif
