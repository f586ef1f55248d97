#include "cli/library.h"

#include <stdarg.h>
#include <stdio.h>

#include "cli/progress.h"

int ts_cli_done(const ts_verb *verb, const tessera_error *error)
{
    ts_progress_end();
    if (error->code != TESSERA_OK)
        fprintf(stderr, "tessera %s: %s\n", verb->name, error->message);
    return (int)error->code;
}

int ts_cli_wrong(const ts_verb *verb, const char *fmt, ...)
{
    tessera_error error = {.code = TESSERA_USAGE};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(error.message, sizeof error.message, fmt, ap);
    va_end(ap);
    return ts_cli_done(verb, &error);
}

void ts_cli_print(tessera_report *report, bool as_json)
{
    if (report && as_json)
        puts(tessera_report_json(report));
    else if (report)
        fputs(tessera_report_text(report), stdout);
    tessera_report_free(report);
}
