#include "cli/notices.h"

#include <stdio.h>

#include "base/err.h"
#include "cli/callbacks.h"
#include "cli/progress.h"

static void say(void *user, ts_notice_kind kind, const char *text)
{
    fprintf(stderr, "tessera %s: %s: %s\n", (const char *)user, kind == TS_NOTE ? "note" : "warning", text);
}

static void begin(void *user, const char *what)
{
    (void)user;
    if (*what)
        ts_progress("%s", what);
    else
        ts_progress_end();
}

static void go_on(void *user, long long done, long long total, double fraction)
{
    (void)user;
    ts_progress_events(done, total, fraction);
}

ts_notices ts_cli_notices(const char *verb)
{
    ts_option_names_set((ts_option_names){.name = ts_cli_option});
    return (ts_notices){.user = (void *)verb, .message = say, .step = begin, .progress = go_on};
}
