/* tessera devices */
#include <stdio.h>

#include "cli/library.h"
#include "cli/verbs.h"

int ts_verb_devices(const ts_verb *verb, int argc, char **argv)
{
    bool json = false;
    const ts_arg table[] = {{"json", TS_ARG_FLAG, NULL, "all that is known of each, as JSON", &json, 0, 0, false},
                            {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false}};
    tessera_report *report;
    tessera_error error;
    int status;
    if (!ts_args_parse(verb, table, argc, argv, NULL, &status))
        return status;
    tessera_devices(&report, &error);
    ts_cli_print(report, json);
    if (!json && error.code == TESSERA_OK)
        printf("Whole devices; plans leave a card's shell its part (--json says how much). GB/s: external memory. Gbit/s: a link to a "
               "neighbour, 0 where the file\n"
               "names none (then --link, or 10 Gbit/s); links: such ports of the board. Others: --device FILE.json, see docs/devices.md\n");
    return ts_cli_done(verb, &error);
}
