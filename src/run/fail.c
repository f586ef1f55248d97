#include "run/fail.h"

#include <stdio.h>
#include <string.h>

/* One line, whatever a name from outside has in it. */
static void plain(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

bool ts_run_fail(tessera_error *error, tessera_code code, const char *fmt, ...)
{
    va_list list;
    char text[sizeof error->message]; /* arguments may point into *error */
    va_start(list, fmt);
    vsnprintf(text, sizeof text, fmt, list);
    va_end(list);
    plain(text);
    error->code = code;
    memcpy(error->message, text, sizeof text);
    return false;
}

bool ts_run_fail_in(tessera_error *error, const char *fmt, ...)
{
    va_list list;
    char text[sizeof error->message];
    va_start(list, fmt);
    const int used = vsnprintf(text, sizeof text, fmt, list);
    va_end(list);
    size_t at = used < 0 ? 0 : (size_t)used < sizeof text ? (size_t)used : sizeof text - 1;
    const char *parts[] = {": ", error->message};
    for (size_t i = 0; i < 2; i++)
        for (const char *c = parts[i]; *c && at < sizeof text - 1;)
            text[at++] = *c++;
    text[at] = 0;
    plain(text);
    memcpy(error->message, text, sizeof text);
    return false;
}

bool ts_run_fail_memory(tessera_error *error, size_t bytes)
{
    return ts_run_fail(error, TESSERA_OUT_OF_MEMORY, "no memory for %zu bytes", bytes);
}
