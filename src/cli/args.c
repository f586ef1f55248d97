#include "cli/args.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tessera/tessera.h>

enum { COLUMN = 28, MOST = 64 }; /* where the help texts of --help begin; options of a verb, at most */

/* What is wrong. */
typedef struct message {
    char text[512];
} message;

static bool wrong(message *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(message *m, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(m->text, sizeof m->text, fmt, ap);
    va_end(ap);
    return false;
}

static void print_help(const ts_verb *verb, const ts_arg *table)
{
    printf("Usage: tessera %s%s%s [options]\n\n%s\n\nOptions:\n", verb->name, verb->operand ? " " : "", verb->operand ? verb->operand : "",
           verb->summary);
    for (const ts_arg *a = table; a->name; a++) {
        const int used = printf("  %s%s%s%s", a->name[1] ? "--" : "-", a->name, a->meta ? " " : "", a->meta ? a->meta : "");
        printf("%*s%s%s\n", used < COLUMN ? COLUMN - used : 1, "", a->help, a->required ? " (required)" : "");
    }
    printf("  --help%*sthis text\n", COLUMN - 8, "");
    if (*verb->details)
        printf("\n%s\n", verb->details);
}

static const ts_arg *find(const ts_arg *table, const char *text, size_t length)
{
    for (const ts_arg *a = table; a->name; a++)
        if (strlen(a->name) == length && strncmp(a->name, text, length) == 0)
            return a;
    return NULL;
}

static bool set_value(const ts_arg *a, const char *text, message *m)
{
    if (a->kind == TS_ARG_TEXT) {
        *(const char **)a->value = text;
        return true;
    }
    char *end;
    errno = 0;
    const double value = strtod(text, &end);
    if (!*text || *end || errno || !isfinite(value) || value < a->min || value > a->max || (a->kind == TS_ARG_INT && value != floor(value)))
        return wrong(m, "--%s is '%s'; expected %s from %.10g to %.10g", a->name, text, a->kind == TS_ARG_INT ? "an integer" : "a number",
                     a->min, a->max);
    if (a->kind == TS_ARG_INT)
        *(int *)a->value = (int)value;
    else
        *(double *)a->value = value;
    return true;
}

static bool parse(const ts_verb *verb, const ts_arg *table, int argc, char **argv, const char **operand, message *m)
{
    bool seen[MOST] = {false}, options_end = false;
    const int operands = !operand ? 0 : strchr(verb->operand, ' ') ? 2 : 1;
    int given = 0;
    for (int i = 1; i < argc; i++) {
        const char *text = argv[i];
        if (strcmp(text, "--") == 0 && !options_end) {
            options_end = true;
            continue;
        }
        if (text[0] != '-' || !text[1] || options_end) {
            if (given == operands)
                return wrong(m, "unexpected argument '%s'", text);
            operand[given++] = text;
            continue;
        }
        const char *name = text + (text[1] == '-' ? 2 : 1), *equals = strchr(name, '=');
        const ts_arg *a = find(table, name, equals ? (size_t)(equals - name) : strlen(name));
        if (!a || (text[1] == '-') != (a->name[1] != 0))
            return wrong(m, "unknown option '%s'", text);
        seen[a - table] = true;
        if (a->kind == TS_ARG_FLAG) {
            if (equals)
                return wrong(m, "--%s takes no value", a->name);
            *(bool *)a->value = true;
            continue;
        }
        const char *value = equals ? equals + 1 : ++i < argc ? argv[i] : NULL;
        if (!value)
            return wrong(m, "%s needs a value: %s", text, a->meta);
        if (!set_value(a, value, m))
            return false;
    }
    for (const ts_arg *a = table; a->name; a++)
        if (a->required && !seen[a - table])
            return wrong(m, "%s%s %s is required", a->name[1] ? "--" : "-", a->name, a->meta ? a->meta : "");
    if (given < operands)
        return wrong(m, "%s %s missing", verb->operand, operands == 2 ? "are needed, one is" : "is");
    return true;
}

bool ts_args_parse(const ts_verb *verb, const ts_arg *table, int argc, char **argv, const char **operand, int *status)
{
    message m;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(verb, table);
            *status = 0;
            return false;
        }
    if (parse(verb, table, argc, argv, operand, &m))
        return true;
    fprintf(stderr, "tessera %s: %s\nTry: tessera %s --help\n", verb->name, m.text, verb->name);
    *status = TESSERA_USAGE;
    return false;
}
