/* Command-line options of one verb as a table: parsing, checking and --help all come from it. */
#ifndef TS_ARGS_H
#define TS_ARGS_H
#include <stdbool.h>

typedef enum { TS_ARG_FLAG, TS_ARG_INT, TS_ARG_NUMBER, TS_ARG_TEXT } ts_arg_kind;

typedef struct ts_arg {
    const char *name; /* without dashes; one letter: a short option */
    ts_arg_kind kind;
    const char *meta; /* what stands for the value in --help; NULL for flags */
    const char *help;
    void *value;     /* bool *, int *, double * or const char ** */
    double min, max; /* of INT and NUMBER */
    bool required;
} ts_arg;

typedef struct ts_verb {
    const char *name, *operand; /* operand: what the positional argument is, or the two, or NULL for none */
    const char *summary;        /* one line */
    const char *details;        /* paragraphs under the options in --help, or "" */
    int (*run)(const struct ts_verb *verb, int argc, char **argv); /* argv[0] is the verb; returns the exit status */
} ts_verb;

/* Fills the table's values and *operand (operand[0], operand[1] of a verb with two). False where there is nothing left to do, with the exit
   status: --help was given and printed, or something is wrong and told. The table ends with a NULL name. */
bool ts_args_parse(const ts_verb *verb, const ts_arg *table, int argc, char **argv, const char **operand, int *status);

/* Exit status of a verb that did its work, but for events that the hardware refuses. */
enum { TS_CLI_REFUSED = 3 };

#endif
