/* One handle in many threads: two submit, two wait, one looks at statistics and makes devices fail and resets them. Every event comes back
   once, with its own result. For ThreadSanitizer, too. threads_test [EVENTS] */
#include "flaky.h"

enum { SUBMITTERS = 2, WAITERS = 2, MOST = 100000 };

static flaky_chain chain;
static tessera_runner *runner;
static int events = 400;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned char seen[MOST];
static int submitted, back, lost;

static int get(int *value)
{
    pthread_mutex_lock(&lock);
    const int now = *value;
    pthread_mutex_unlock(&lock);
    return now;
}

static void *submit_all(void *user)
{
    const int which = *(int *)user;
    tessera_error error;
    for (int i = which; i < events;) {
        uint64_t number;
        const tessera_code code = flaky_submit(runner, i % 300, 1 + i % FLAKY_MAX_TOKENS, 0.01, &number, &error);
        if (code == TESSERA_OK) {
            CHECK_THAT(number < MOST);
            i += SUBMITTERS;
            pthread_mutex_lock(&lock);
            submitted++;
            pthread_mutex_unlock(&lock);
        } else if (code != TESSERA_NOT_YET) { /* it hangs; somebody resets it */
            ts_run_pause(0.001);
        }
    }
    return NULL;
}

static void *wait_all(void *user)
{
    tessera_error error;
    while (get(&back) < events) {
        tessera_run_result result;
        const tessera_code code = flaky_wait_for(runner, TESSERA_RUN_NEXT, 0.01, &result, &error);
        if (code == TESSERA_NOT_YET)
            continue;
        if (code != TESSERA_OK && result.status != TESSERA_RUN_LOST) { /* nothing was here, it hangs */
            ts_run_pause(0.001);
            continue;
        }
        pthread_mutex_lock(&lock);
        CHECK_THAT(result.number < MOST && !seen[result.number]);
        seen[result.number] = 1;
        lost += result.status == TESSERA_RUN_LOST;
        back++;
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void *disturb(void *user)
{
    tessera_error error;
    tessera_run_counters counters = TESSERA_INIT(tessera_run_counters);
    for (int i = 0; get(&back) < events; i++) {
        CHECK_THAT(tessera_run_statistics(runner, i % 2, &counters, &error) == TESSERA_OK);
        if (i % 8 == 5) {
            pthread_mutex_lock(&chain.lock);
            chain.faults.no_results = i % 16 == 5;
            chain.faults.no_hits = i % 16 == 13;
            pthread_mutex_unlock(&chain.lock);
            ts_run_pause(0.05);
            CHECK_THAT(tessera_run_reset(runner, 0.02, &error) == TESSERA_OK || strlen(error.message) > 10);
            pthread_mutex_lock(&chain.lock);
            chain.faults = (flaky_faults){0};
            pthread_mutex_unlock(&chain.lock);
            CHECK_THAT(tessera_run_reset(runner, 2, &error) == TESSERA_OK);
        }
        tessera_run_poll(runner, NULL);
        ts_run_pause(0.002);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    tessera_error error;
    pthread_t thread[SUBMITTERS + WAITERS + 1];
    int which[SUBMITTERS];
    if (argc > 1)
        events = atoi(argv[1]);
    CHECK_THAT(events > 0 && events <= MOST);
    flaky_chain_make(&chain);
    chain.faults.slow = 0.0005;
    runner = flaky_open(&chain, 2, 6, 0.03, &error);
    CHECK_THAT(runner);
    for (int i = 0; i < SUBMITTERS; i++) {
        which[i] = i;
        CHECK_THAT(pthread_create(&thread[i], NULL, submit_all, &which[i]) == 0);
    }
    for (int i = 0; i < WAITERS; i++)
        CHECK_THAT(pthread_create(&thread[SUBMITTERS + i], NULL, wait_all, NULL) == 0);
    CHECK_THAT(pthread_create(&thread[SUBMITTERS + WAITERS], NULL, disturb, NULL) == 0);
    for (int i = 0; i < SUBMITTERS + WAITERS + 1; i++)
        pthread_join(thread[i], NULL);
    tessera_run_close(runner);
    CHECK_THAT(submitted == events && back == events && chain.opened == 0);
    flaky_package_remove(flaky_package(1));
    printf("%d events from %d threads to %d others: all back once, %d of them lost\n", events, SUBMITTERS, WAITERS, lost);
    return 0;
}
