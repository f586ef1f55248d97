/* Random sequences of what a program may do with devices that fail: submit, wait, time out, reset, close and open again. In every one: no
   call takes much longer than it may, every result is its event's, every event comes back once. random_test [SEQUENCES (200) [SEED (1)]] */
#include "flaky.h"

enum { DEPTH = 5, STEPS = 24, TICKETS = 4096 };
static const double TIMEOUT = 0.004, SLACK = 1.5;

typedef struct sequence {
    unsigned long long random;
    flaky_chain chain;
    tessera_runner *runner;
    int next_id, devices;
    bool open[TICKETS]; /* events that were submitted and have not come back, by number */
    uint64_t submitted;
    int under_way;
    bool faulty; /* something was made to fail since the last reset */
    int done, lost, refused, resets, timeouts;
} sequence;

static int below(sequence *q, int n)
{
    return (int)(check_random(&q->random) % (unsigned)n);
}

static void check_time(int64_t begin, double most, const char *what)
{
    const double took = (double)(ts_run_now() - begin) * 1e-9;
    if (took > most + SLACK) {
        fprintf(stderr, "%s took %g s, at most %g were expected\n", what, took, most);
        exit(1);
    }
}

static void came(sequence *q, const tessera_run_result *result)
{
    CHECK_THAT(result->number < TICKETS && q->open[result->number]);
    q->open[result->number] = false;
    q->under_way--;
    q->done += result->status == TESSERA_RUN_DONE;
    q->refused += result->status == TESSERA_RUN_REFUSED;
    q->lost += result->status == TESSERA_RUN_LOST;
    CHECK_THAT(result->status != TESSERA_RUN_LOST || q->faulty);
}

static void submit(sequence *q)
{
    tessera_error error;
    uint64_t number;
    const int hits = 1 + below(q, FLAKY_MAX_TOKENS + 2), id = q->next_id++ % 300;
    const int64_t begin = ts_run_now();
    const tessera_code code = flaky_submit(q->runner, id, hits, below(q, 2) * 0.002, &number, &error);
    check_time(begin, 0.002 + 4 * TIMEOUT, "submit");
    if (code == TESSERA_OK) {
        CHECK_THAT(number == q->submitted && number < TICKETS);
        q->open[q->submitted++] = true;
        q->under_way++;
        return;
    }
    CHECK_THAT(code == TESSERA_NOT_YET ? q->under_way == DEPTH : q->faulty);
}

static void wait_for(sequence *q)
{
    tessera_error error;
    tessera_run_result result;
    uint64_t number = TESSERA_RUN_NEXT;
    if (below(q, 3) == 0 && q->submitted)
        number = (uint64_t)below(q, (int)q->submitted);
    const int64_t begin = ts_run_now();
    const double seconds = below(q, 3) * 0.003;
    const tessera_code code = flaky_wait_for(q->runner, number, seconds, &result, &error);
    check_time(begin, seconds + 4 * TIMEOUT, "wait");
    if (code == TESSERA_USAGE) {
        CHECK_THAT(number != TESSERA_RUN_NEXT && !q->open[number]);
    } else if (code == TESSERA_NOT_YET) {
        CHECK_THAT(q->faulty || q->under_way == 0 || seconds < 0.001 || q->chain.faults.slow > 0);
    } else if (code == TESSERA_OK) {
        came(q, &result);
    } else {
        CHECK_THAT(q->faulty);
        q->timeouts += code == TESSERA_TIMED_OUT;
        if (q->under_way > 0)
            came(q, &result);
    }
}

static void poll_some(sequence *q)
{
    int inside = 0;
    const int64_t begin = ts_run_now();
    const int here = tessera_run_poll(q->runner, &inside);
    check_time(begin, 4 * TIMEOUT, "poll");
    CHECK_THAT(here + inside == q->under_way);
}

static void fail_somehow(sequence *q)
{
    flaky_faults *f = &q->chain.faults;
    q->faulty = true;
    switch (below(q, 7)) {
    case 0:
        f->no_results = true;
        break;
    case 1:
        f->no_hits = true;
        break;
    case 2:
        f->slow = 2 * TIMEOUT;
        break;
    case 3:
        f->short_result = true;
        break;
    case 4:
        f->swallow = true;
        break;
    case 5:
        f->broken_stream = true;
        break;
    default:
        f->no_registers = true;
    }
}

static void heal(sequence *q)
{
    q->chain.faults = (flaky_faults){.stuck_reset = below(q, 8) == 0};
}

/* Behind it, it works or says why not. */
static void reset(sequence *q)
{
    tessera_error error;
    if (below(q, 2))
        heal(q);
    const int64_t begin = ts_run_now();
    const tessera_code code = tessera_run_reset(q->runner, 2 * TIMEOUT, &error);
    check_time(begin, 8 * TIMEOUT, "reset");
    q->resets++;
    if (code != TESSERA_OK) {
        CHECK_THAT(q->faulty && strlen(error.message) > 10);
        CHECK_THAT(flaky_submit(q->runner, 1, 1, 0, NULL, &error) == code || q->under_way == DEPTH);
        heal(q);
        q->chain.faults.stuck_reset = false;
        CHECK_THAT(tessera_run_reset(q->runner, 2 * TIMEOUT, &error) == TESSERA_OK);
    }
    /* What is lost is told, also behind a reset; what comes from now on is right, unless something was left unhealed. */
}

static void open_again(sequence *q)
{
    tessera_error error;
    heal(q);
    q->chain.faults.stuck_reset = false;
    tessera_run_close(q->runner);
    CHECK_THAT(q->chain.opened == 0);
    q->devices = 1 + below(q, 3);
    q->runner = flaky_open(&q->chain, q->devices, DEPTH, TIMEOUT, &error);
    if (!q->runner)
        fprintf(stderr, "%s\n", error.message);
    CHECK_THAT(q->runner);
    memset(q->open, 0, sizeof q->open);
    q->under_way = 0;
    q->submitted = 0;
    q->faulty = false;
}

/* All that was submitted comes back, whatever has happened. */
static void settle(sequence *q)
{
    tessera_error error;
    tessera_run_result result;
    for (int i = 0; q->under_way > 0; i++) {
        CHECK_THAT(i < 10 * DEPTH);
        const tessera_code code = flaky_wait_for(q->runner, TESSERA_RUN_NEXT, 1, &result, &error);
        CHECK_THAT(code != TESSERA_NOT_YET && code != TESSERA_USAGE);
        came(q, &result);
    }
    heal(q);
    q->chain.faults.stuck_reset = false;
    CHECK_THAT(tessera_run_reset(q->runner, 1, &error) == TESSERA_OK);
    uint64_t number;
    CHECK_THAT(flaky_submit(q->runner, 7, 3, 0, &number, &error) == TESSERA_OK && number == q->submitted);
    CHECK_THAT(flaky_wait_for(q->runner, number, 1, &result, &error) == TESSERA_OK && result.number == number);
    q->submitted++;
}

static void run(unsigned long long seed, sequence *total)
{
    static sequence q;
    memset(&q, 0, sizeof q);
    q.random = seed * 0x9e3779b97f4a7c15ULL + 1;
    flaky_chain_make(&q.chain);
    tessera_error error;
    q.devices = 1;
    q.runner = flaky_open(&q.chain, 1, DEPTH, TIMEOUT, &error);
    CHECK_THAT(q.runner);
    for (int step = 0; step < STEPS; step++) {
        const int what = below(&q, 100);
        if (what < 45)
            submit(&q);
        else if (what < 82)
            wait_for(&q);
        else if (what < 87)
            poll_some(&q);
        else if (what < 92)
            fail_somehow(&q);
        else if (what < 98)
            reset(&q);
        else
            open_again(&q);
    }
    settle(&q);
    tessera_run_close(q.runner);
    CHECK_THAT(q.chain.opened == 0);
    total->done += q.done;
    total->lost += q.lost;
    total->refused += q.refused;
    total->resets += q.resets;
    total->timeouts += q.timeouts;
}

static unsigned long long current;

static void say_seed(void)
{
    if (current)
        fprintf(stderr, "seed %llu: random_test 1 %llu\n", current, current);
}

int main(int argc, char **argv)
{
    atexit(say_seed);
    const int sequences = argc > 1 ? atoi(argv[1]) : 200;
    const unsigned long long seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    static sequence total;
    for (int i = 0; i < sequences; i++) {
        current = seed + (unsigned long long)i;
        run(current, &total);
    }
    current = 0;
    flaky_package_remove(flaky_package(1));
    printf("%d sequences from seed %llu: %d results, %d lost, %d refused, %d time-outs, %d resets\n", sequences, seed, total.done,
           total.lost, total.refused, total.timeouts, total.resets);
    CHECK_THAT(total.done > 0 && (sequences < 100 || (total.lost > 0 && total.timeouts > 0 && total.refused > 0 && total.resets > 0)));
    return 0;
}
