#include "cli/callbacks.h"

#include <stdio.h>
#include <string.h>

#include "cli/progress.h"

static void say(void *user, tessera_message_kind kind, const char *text)
{
    fprintf(stderr, "tessera %s: %s: %s\n", (const char *)user, kind == TESSERA_NOTE ? "note" : "warning", text);
}

static void go_on(void *user, const tessera_progress *now)
{
    if (!now->step)
        ts_progress_events(now->events, now->expected, now->fraction);
    else if (*now->step)
        ts_progress("%s", now->step);
    else
        ts_progress_end();
}

/* Members that are not called like their options. */
static const struct {
    const char *member, *option;
} named[] = {
    {"samples", "--input"},
    {"output", "-o"},
    {"clock_mhz", "--clock"},
};

const char *ts_cli_option(void *unused, const char *member)
{
    enum { AT_ONCE = 8, LONGEST = 40 }; /* of one message */
    static _Thread_local char text[AT_ONCE][LONGEST];
    static _Thread_local int next;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (strcmp(member, named[i].member) == 0)
            return named[i].option;
    char *to = text[next++ % AT_ONCE];
    snprintf(to, LONGEST, "--%s", member);
    for (char *p = to; *p; p++)
        *p = *p == '_' ? '-' : *p;
    return to;
}

tessera_callbacks ts_cli_callbacks(const char *verb)
{
    return (tessera_callbacks){
        .size = sizeof(tessera_callbacks), .user = (void *)verb, .message = say, .progress = go_on, .option = ts_cli_option};
}
