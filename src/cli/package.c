/* tessera package */
#include <stdio.h>
#include <string.h>

#include "cli/library.h"
#include "cli/verbs.h"

enum { TEXT = 4096 };

static bool target_of(const char *name, tessera_target *target)
{
    for (int i = 0; tessera_target_name((tessera_target)i); i++)
        if (!name || strcmp(name, tessera_target_name((tessera_target)i)) == 0) {
            *target = (tessera_target)i;
            return true;
        }
    return false;
}

static void say(char *text, const char *fmt, const char *a, const char *b)
{
    const size_t n = strlen(text);
    snprintf(text + n, TEXT - n, fmt, a, b);
}

/* "rtl, yosys or vivado" */
static void names(char *text)
{
    for (int i = 0; tessera_target_name((tessera_target)i); i++)
        say(text, "%s%s",
            i == 0                                         ? ""
            : tessera_target_name((tessera_target)(i + 1)) ? ", "
                                                           : " or ",
            tessera_target_name((tessera_target)i));
}

/* The verb's own, and what each target has. */
static void explain(char *text, const char *details)
{
    say(text, "%s\n\nTargets:%s", details, "");
    for (int i = 0; tessera_target_name((tessera_target)i); i++)
        say(text, "\n  %-10s%s", tessera_target_name((tessera_target)i), tessera_target_what((tessera_target)i));
}

int ts_verb_package(const ts_verb *verb, int argc, char **argv)
{
    tessera_package_options o = TESSERA_INIT(tessera_package_options);
    const char *target = NULL, *status = NULL;
    char details[TEXT] = "", choice[TEXT] = "";
    explain(details, verb->details);
    names(choice);
    ts_verb explained = *verb;
    explained.details = details;
    const ts_arg table[] = {
        {"target", TS_ARG_TEXT, "T", "for which tools, as listed below (rtl)", &target, 0, 0, false},
        {"bus-bits", TS_ARG_INT, "N", "width of the streams of hits and results: 32, 64, ... 512 (a hit and a result a cycle)", &o.bus_bits,
         32, 512, false},
        {"bus-clock", TS_ARG_NUMBER, "MHZ", "clock of the buses (the engine's)", &o.bus_mhz, 1, 2000, false},
        {"status", TS_ARG_TEXT, "WHERE", "an event's {error, refused}: tuser, or a word behind its results (word where there is a DMA)",
         &status, 0, 0, false},
        {"weights", TS_ARG_TEXT, "FILE", "of tessera weights: the package's bench loads them between events", &o.weights, 0, 0, false},
        {"o", TS_ARG_TEXT, "OUT", "where to write", &o.output, 0, 0, true},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    int code;
    if (!ts_args_parse(&explained, table, argc, argv, &o.directory, &code))
        return code;
    if (!target_of(target, &o.target))
        return ts_cli_wrong(verb, "--target %s: choose %s", target, choice);
    if (status && strcmp(status, "tuser") != 0 && strcmp(status, "word") != 0)
        return ts_cli_wrong(verb, "--status %s: choose tuser or word", status);
    if (status)
        o.status = strcmp(status, "word") == 0 ? TESSERA_STATUS_WORD : TESSERA_STATUS_TUSER;
    const tessera_callbacks callbacks = ts_cli_callbacks(verb->name);
    tessera_report *report;
    tessera_error error;
    tessera_package(&o, &callbacks, &report, &error);
    ts_cli_print(report, false);
    return ts_cli_done(verb, &error);
}
