/* Exported C, as model.h has it, from two threads at once, each with a workspace of its own; and the same events one after the other. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "model.h"

enum { THREADS = 2, EVENTS = 6 };

typedef struct worker {
    model_workspace workspace;
    double results[EVENTS][MODEL_MAX_HITS * MODEL_OUTPUTS];
    int refused;
} worker;

static worker of[THREADS + 1];

static int hits_of(int event)
{
    return 1 + event * (MODEL_MAX_HITS - 1) / (EVENTS - 1);
}

static void *work(void *user)
{
    worker *w = user;
    double hits[MODEL_MAX_HITS * MODEL_FEATURES];
    int e, i;
    for (e = 0; e < EVENTS; e++) {
        for (i = 0; i < MODEL_MAX_HITS * MODEL_FEATURES; i++)
            hits[i] = (double)((i * 37 + e * 11) % 101) / 20 - 2.5;
        w->refused += model_run(hits, hits_of(e), w->results[e], &w->workspace) != MODEL_OK;
    }
    return NULL;
}

int main(void)
{
    pthread_t thread[THREADS];
    int i, failed;
    for (i = 0; i < THREADS; i++)
        if (pthread_create(&thread[i], NULL, work, &of[i]) != 0)
            return 2;
    for (i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    work(&of[THREADS]);
    failed = of[THREADS].refused;
    for (i = 0; i < THREADS; i++)
        failed += of[i].refused || memcmp(of[i].results, of[THREADS].results, sizeof of[i].results) != 0;
    printf("%d threads, %d failed\n", THREADS, failed);
    return failed > 0;
}
