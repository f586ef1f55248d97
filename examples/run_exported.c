/* Events through exported C, which needs nothing but a compiler:

       tessera export DIR --target c --name model -o .
       cc -std=c99 -O2 run_exported.c model.c -o run_exported
       ./run_exported <EVENTS.csv >RESULTS.csv

   Lines of EVENTS.csv are event_id,hit_id and the values of a hit in the order of model.h; the hits of an event stand together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

enum { LINE = 1 << 16, ID = 32 };

static model_workspace workspace;
static double hits[MODEL_MAX_HITS * MODEL_FEATURES], results[MODEL_MAX_HITS * MODEL_OUTPUTS];
static char hit[MODEL_MAX_HITS][ID];

static void finish(const char *event, int count)
{
    const int code = model_run(hits, count, results, &workspace);
    int row, o;
    if (count == 0)
        return;
    if (code != MODEL_OK) {
        fprintf(stderr, "run_exported: event %s, %d hits: %s\n", event, count, model_message(code));
        return;
    }
    for (row = 0; row < (MODEL_POOLED ? 1 : count); row++) {
        printf("%s", event);
        if (!MODEL_POOLED)
            printf(",%s", hit[row]);
        for (o = 0; o < MODEL_OUTPUTS; o++)
            printf(",%.9g", results[row * MODEL_OUTPUTS + o]);
        printf("\n");
    }
}

int main(void)
{
    static char line[LINE];
    char event[ID] = "";
    int count = 0, c;
    while (fgets(line, sizeof line, stdin)) {
        char *at = strchr(line, ',');
        if (line[0] < '0' || line[0] > '9' || !at) /* the names of the columns */
            continue;
        *at++ = '\0';
        if (strcmp(line, event) != 0) {
            finish(event, count);
            snprintf(event, sizeof event, "%.*s", ID - 1, line);
            count = 0;
        }
        if (count < MODEL_MAX_HITS) {
            snprintf(hit[count], ID, "%.*s", (int)(strcspn(at, ",") % ID), at);
            for (c = 0; c < MODEL_FEATURES; c++) {
                at = strchr(at, ',');
                hits[count * MODEL_FEATURES + c] = at ? strtod(++at, NULL) : 0;
            }
        }
        count++;
    }
    finish(event, count);
    return 0;
}
