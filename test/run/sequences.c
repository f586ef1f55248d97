/* Random sequences on a package's devices, by any back end: submit, wait with too little time, reset, close in the middle and open again.
   Every result is that of its event, as another back end gave it at the beginning. sequences PACKAGE BACKEND REFERENCE [SEQUENCES (20)
   [SEED (1) [TIMEOUT (1)]]] A back end "sim" also hangs in a part of the sequences: nobody takes results any more, or the engine clock
   stands still. */
#include <tessera/tessera_run.h>

#include "check.h"

enum { EVENTS = 6, STEPS = 20, DEPTH = 4 };

typedef struct sequence {
    const char *package, *backend;
    unsigned long long random;
    double timeout;
    tessera_run_info info;
    int hits[EVENTS];
    int32_t *in[EVENTS], *out[EVENTS]; /* what it becomes: [rows][word_outputs] */
    int64_t rows[EVENTS];
    int32_t *words;
    tessera_runner *runner;
    bool hangs;
    int inside, done, lost, timeouts, resets;
} sequence;

static int below(sequence *q, int n)
{
    return (int)(check_random(&q->random) % (unsigned)n);
}

static void open_it(sequence *q, const char *backend)
{
    tessera_error error;
    tessera_run_open_options o = TESSERA_INIT(tessera_run_open_options);
    o.package = q->package;
    o.backend = backend;
    o.depth = DEPTH;
    o.timeout = q->timeout;
    if (tessera_run_open(&o, &q->runner, &error) != TESSERA_OK)
        fprintf(stderr, "%s: %s\n", backend, error.message);
    CHECK_THAT(q->runner);
    q->inside = 0;
}

static tessera_code submit(sequence *q, int which, double seconds, tessera_error *error)
{
    tessera_run_event e = TESSERA_INIT(tessera_run_event);
    e.hits = q->hits[which];
    e.words = q->in[which];
    e.user = &q->hits[which];
    const tessera_code code = tessera_run_submit(q->runner, &e, seconds, NULL, error);
    q->inside += code == TESSERA_OK;
    return code;
}

static tessera_code take(sequence *q, double seconds, tessera_run_result *result, tessera_error *error)
{
    *result = (tessera_run_result)TESSERA_INIT(tessera_run_result);
    result->words = q->words;
    result->room = q->info.max_tokens;
    return tessera_run_wait(q->runner, TESSERA_RUN_NEXT, seconds, result, error);
}

static void learn(sequence *q, const char *reference)
{
    tessera_error error;
    tessera_run_result result;
    open_it(q, reference);
    q->info.size = sizeof q->info;
    CHECK_THAT(tessera_run_describe(q->runner, &q->info));
    const size_t width = (size_t)q->info.word_outputs;
    q->words = calloc((size_t)q->info.max_tokens * width, sizeof *q->words);
    const int most = (1 << (q->info.input_bits - 1)) - 1;
    for (int i = 0; i < EVENTS; i++) {
        q->hits[i] = i == 0 ? 1 : i == 1 ? q->info.max_tokens : 1 + below(q, q->info.max_tokens);
        q->in[i] = calloc((size_t)(q->hits[i] * q->info.word_features), sizeof **q->in);
        for (int k = 0; k < q->hits[i] * q->info.word_features; k++)
            q->in[i][k] = below(q, 2 * most + 1) - most;
        CHECK_THAT(submit(q, i, -1, &error) == TESSERA_OK && take(q, 60, &result, &error) == TESSERA_OK &&
                   result.status == TESSERA_RUN_DONE);
        q->rows[i] = result.rows;
        q->out[i] = calloc((size_t)result.rows * width, sizeof **q->out);
        memcpy(q->out[i], q->words, (size_t)result.rows * width * sizeof **q->out);
    }
    tessera_run_close(q->runner);
}

static void open_again(sequence *q)
{
    char backend[256];
    if (q->runner)
        tessera_run_close(q->runner);
    q->hangs = strncmp(q->backend, "sim", 3) == 0 && below(q, 3) == 0;
    if (!q->hangs)
        snprintf(backend, sizeof backend, "%s", q->backend);
    else if (below(q, 2))
        snprintf(backend, sizeof backend, "%s%sseed=%d,taker_stops=%d", q->backend, strchr(q->backend, ':') ? "," : ":", below(q, 1000),
                 1 + below(q, 100));
    else
        snprintf(backend, sizeof backend, "%s%sengine_stops=%d", q->backend, strchr(q->backend, ':') ? "," : ":", 20000 + below(q, 80000));
    open_it(q, backend);
}

static void came(sequence *q, const tessera_run_result *result)
{
    const int which = (int)((int *)result->user - q->hits);
    q->inside--;
    q->done += result->status == TESSERA_RUN_DONE;
    q->lost += result->status == TESSERA_RUN_LOST;
    CHECK_THAT(which >= 0 && which < EVENTS && (result->status == TESSERA_RUN_DONE || (result->status == TESSERA_RUN_LOST && q->hangs)));
    if (result->status == TESSERA_RUN_DONE)
        CHECK_THAT(result->rows == q->rows[which] &&
                   memcmp(q->words, q->out[which], (size_t)(result->rows * q->info.word_outputs) * sizeof *q->words) == 0);
}

static void take_one(sequence *q, double seconds)
{
    tessera_error error;
    tessera_run_result result;
    const tessera_code code = take(q, seconds, &result, &error);
    q->timeouts += code == TESSERA_TIMED_OUT || code == TESSERA_NOT_YET;
    if (code == TESSERA_OK || (result.status == TESSERA_RUN_LOST && q->inside > 0 && code != TESSERA_NOT_YET))
        came(q, &result);
    else
        CHECK_THAT(code == TESSERA_NOT_YET || q->hangs);
}

static void reset(sequence *q)
{
    tessera_error error;
    const tessera_code code = tessera_run_reset(q->runner, -1, &error);
    if (code != TESSERA_OK)
        fprintf(stderr, "%s\n", error.message);
    CHECK_THAT(code == TESSERA_OK);
    q->resets++;
}

static void run(sequence *q)
{
    tessera_error error;
    open_again(q);
    for (int step = 0; step < STEPS; step++) {
        const int what = below(q, 100);
        if (what < 45) {
            const tessera_code code = submit(q, below(q, EVENTS), 0, &error);
            CHECK_THAT(code == TESSERA_OK || (code == TESSERA_NOT_YET && q->inside == DEPTH) || q->hangs);
        } else if (what < 88) {
            take_one(q, q->inside ? below(q, 3) * q->timeout : 0);
        } else if (what < 96) {
            reset(q);
        } else {
            open_again(q);
        }
    }
    while (q->inside > 0)
        take_one(q, 20 * q->timeout);
    reset(q);
    /* It works, or says why not, and then does behind a reset. */
    for (int tries = q->hangs ? 2 : 1; tries > 0; tries--) {
        tessera_run_result result;
        CHECK_THAT(submit(q, 2, 0, &error) == TESSERA_OK);
        const tessera_code code = take(q, 20 * q->timeout, &result, &error);
        if (code != TESSERA_OK && !(tries == 2 && result.status == TESSERA_RUN_LOST))
            fprintf(stderr, "%s\n", error.message);
        CHECK_THAT(code == TESSERA_OK || (tries == 2 && error.message[0] && result.status == TESSERA_RUN_LOST));
        came(q, &result);
        if (code == TESSERA_OK)
            return;
        reset(q);
    }
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    static sequence q;
    q.package = argv[1];
    q.backend = argv[2];
    const int sequences = argc > 4 ? atoi(argv[4]) : 20;
    const unsigned long long seed = argc > 5 ? strtoull(argv[5], NULL, 0) : 1;
    q.timeout = 60;
    q.random = 99;
    learn(&q, argv[3]);
    q.runner = NULL;
    q.timeout = argc > 6 ? atof(argv[6]) : 1;
    for (int i = 0; i < sequences; i++) {
        q.random = (seed + (unsigned long long)i) * 0x9e3779b97f4a7c15ULL + 1;
        run(&q);
    }
    tessera_run_close(q.runner);
    for (int i = 0; i < EVENTS; i++) {
        free(q.in[i]);
        free(q.out[i]);
    }
    free(q.words);
    printf("%d sequences on %s: %d results as on %s, %d lost, %d without a result in time, %d resets\n", sequences, q.backend, q.done,
           argv[3], q.lost, q.timeouts, q.resets);
    return 0;
}
