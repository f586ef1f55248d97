#include "cli/args.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMN = 28 }; /* where the help texts of --help begin */

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

static bool set_value(const ts_arg *a, const char *text, ts_err *err)
{
    if (a->kind == TS_ARG_TEXT) {
        *(const char **)a->value = text;
        return true;
    }
    char *end;
    errno = 0;
    const double value = strtod(text, &end);
    if (!*text || *end || errno || !isfinite(value) || value < a->min || value > a->max || (a->kind == TS_ARG_INT && value != floor(value)))
        return ts_fail(err, "--%s is '%s'; expected %s from %.10g to %.10g", a->name, text,
                       a->kind == TS_ARG_INT ? "an integer" : "a number", a->min, a->max);
    if (a->kind == TS_ARG_INT)
        *(int *)a->value = (int)value;
    else
        *(double *)a->value = value;
    return true;
}

ts_args_result ts_args_parse(const ts_verb *verb, const ts_arg *table, int argc, char **argv, const char **operand, ts_err *err)
{
    bool seen[64] = {false}, options_end = false;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(verb, table);
            return TS_ARGS_HELP;
        }
    for (int i = 1; i < argc; i++) {
        const char *text = argv[i];
        if (strcmp(text, "--") == 0 && !options_end) {
            options_end = true;
            continue;
        }
        if (text[0] != '-' || !text[1] || options_end) {
            if (!operand || *operand) {
                ts_fail(err, "unexpected argument '%s'", text);
                return TS_ARGS_BAD;
            }
            *operand = text;
            continue;
        }
        const char *name = text + (text[1] == '-' ? 2 : 1), *equals = strchr(name, '=');
        const ts_arg *a = find(table, name, equals ? (size_t)(equals - name) : strlen(name));
        if (!a || (text[1] == '-') != (a->name[1] != 0)) {
            ts_fail(err, "unknown option '%s'", text);
            return TS_ARGS_BAD;
        }
        CHECK(a - table < (long)(sizeof seen / sizeof *seen));
        seen[a - table] = true;
        if (a->kind == TS_ARG_FLAG) {
            if (equals) {
                ts_fail(err, "--%s takes no value", a->name);
                return TS_ARGS_BAD;
            }
            *(bool *)a->value = true;
            continue;
        }
        const char *value = equals ? equals + 1 : ++i < argc ? argv[i] : NULL;
        if (!value) {
            ts_fail(err, "%s needs a value: %s", text, a->meta);
            return TS_ARGS_BAD;
        }
        if (!set_value(a, value, err))
            return TS_ARGS_BAD;
    }
    for (const ts_arg *a = table; a->name; a++)
        if (a->required && !seen[a - table]) {
            ts_fail(err, "%s%s %s is required", a->name[1] ? "--" : "-", a->name, a->meta ? a->meta : "");
            return TS_ARGS_BAD;
        }
    if (operand && !*operand) {
        ts_fail(err, "%s is missing", verb->operand);
        return TS_ARGS_BAD;
    }
    return TS_ARGS_OK;
}

int ts_cli_fail(const ts_verb *verb, const ts_err *err)
{
    fprintf(stderr, "tessera %s: %s\n", verb->name, err->msg);
    return err->code ? (int)err->code : TS_FAILED;
}

int ts_cli_usage(const ts_verb *verb, const ts_err *err)
{
    fprintf(stderr, "tessera %s: %s\nTry: tessera %s --help\n", verb->name, err->msg, verb->name);
    return 2;
}
