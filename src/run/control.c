/* Calls that have the devices to themselves. */
#include <stdlib.h>
#include <string.h>

#include "run/runner.h"

static tessera_code end(tessera_error *error, const tessera_error *own)
{
    if (error)
        *error = *own;
    return own->code;
}

tessera_code tessera_run_reset(tessera_runner *r, double seconds, tessera_error *error)
{
    tessera_error own = {TESSERA_OK, ""};
    const int64_t until = ts_run_until(r, seconds);
    if (!ts_run_halt(r, until, &own))
        return end(error, &own);
    const bool ok = ts_run_soft_reset(r, until, &own);
    pthread_mutex_lock(&r->lock);
    r->broken = false;
    r->failure = (tessera_error){TESSERA_OK, ""};
    r->resets += ok;
    if (!ok)
        ts_run_break(r, &own);
    pthread_mutex_unlock(&r->lock);
    ts_run_go_on(r);
    return end(error, &own);
}

/* Until every event that was submitted has its result: what they mean goes by the weights of now. */
static bool finish_events(tessera_runner *r, int64_t until, tessera_error *error)
{
    bool more = true;
    pthread_mutex_lock(&r->lock);
    r->loading = true;
    while (more && !r->broken) {
        more = ts_run_first(r, TS_RUN_QUEUED) || ts_run_first(r, TS_RUN_SENT);
        for (int i = 0; i < r->depth; i++)
            more = more || r->slot[i].state == TS_RUN_FILLING;
        if (more && ts_run_now() >= until)
            break;
        if (more)
            ts_run_move_some(r, until);
    }
    const bool late = more && !r->broken;
    pthread_mutex_unlock(&r->lock);
    return !late ||
           ts_run_fail(error, TESSERA_NOT_YET, "events that were submitted do not come out in the time given; no weights were loaded");
}

static bool load(tessera_runner *r, const char *path, int64_t until, tessera_error *error)
{
    pthread_mutex_lock(&r->lock);
    const bool broken = r->broken; /* for half of the weights, perhaps */
    pthread_mutex_unlock(&r->lock);
    if ((broken && !ts_run_soft_reset(r, until, error)) || !ts_run_drain(r, until, error))
        return false;
    const bool ok = ts_run_write_weights(r, path, until, error);
    pthread_mutex_lock(&r->lock);
    r->broken = false;
    r->failure = (tessera_error){TESSERA_OK, ""};
    if (!ok && error->code != TESSERA_BAD_FILE && error->code != TESSERA_NO_FILE && error->code != TESSERA_USAGE) /* no weights are whole */
        ts_run_break(r, error);
    pthread_mutex_unlock(&r->lock);
    return ok;
}

tessera_code tessera_run_load(tessera_runner *r, const char *weights, tessera_error *error)
{
    tessera_error own = {TESSERA_OK, ""};
    const int64_t until = ts_run_until(r, -1);
    char *kept = weights ? strdup(weights) : NULL;
    if (!kept) {
        ts_run_fail(&own, weights ? TESSERA_OUT_OF_MEMORY : TESSERA_USAGE, "weights: a file is needed");
        return end(error, &own);
    }
    bool ok = finish_events(r, until, &own) && ts_run_halt(r, until, &own);
    if (ok) {
        ok = load(r, kept, until, &own);
        if (ok) { /* and again behind a hard reset */
            free(r->weights);
            r->weights = kept;
            kept = NULL;
        }
        ts_run_go_on(r);
    }
    free(kept);
    pthread_mutex_lock(&r->lock);
    r->loading = false;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    return end(error, &own);
}

static bool check_device(const tessera_runner *r, int device, tessera_error *error)
{
    return (device >= 0 && device < r->devices) ||
           ts_run_fail(error, TESSERA_USAGE, "there is no device %d, there are %d from 0 on", device, r->devices);
}

static bool read_counters(ts_run_device *d, tessera_run_counters *c, tessera_error *error)
{
    return ts_run_write(d, TS_RUN_REG_COMMAND, TS_RUN_COMMAND_LATCH, error) && ts_run_counter(d, TS_RUN_REG_EVENTS, &c->events, error) &&
           ts_run_counter(d, TS_RUN_REG_REFUSED, &c->refused, error) && ts_run_counter(d, TS_RUN_REG_ERRORS, &c->errors, error) &&
           ts_run_counter(d, TS_RUN_REG_STALL_IN, &c->stall_in, error) && ts_run_counter(d, TS_RUN_REG_STALL_OUT, &c->stall_out, error) &&
           ts_run_counter(d, TS_RUN_REG_EVENT_CYCLES, &c->event_cycles, error) && ts_run_counter(d, TS_RUN_REG_CYCLES, &c->cycles, error) &&
           ts_run_read(d, TS_RUN_REG_STATUS, &c->status, error);
}

tessera_code tessera_run_statistics(tessera_runner *r, int device, tessera_run_counters *counters, tessera_error *error)
{
    tessera_error own = {TESSERA_OK, ""};
    tessera_run_counters c = TESSERA_INIT(tessera_run_counters);
    if (!counters || counters->size < sizeof c) {
        ts_run_fail(&own, TESSERA_USAGE, "the counters' size is not set: TESSERA_INIT(tessera_run_counters) does");
        return end(error, &own);
    }
    if (!check_device(r, device, &own))
        return end(error, &own);
    pthread_mutex_lock(&r->control);
    const bool ok = read_counters(r->device[device], &c, &own);
    pthread_mutex_unlock(&r->control);
    pthread_mutex_lock(&r->lock);
    c.submitted = r->next;
    c.taken = r->taken;
    c.lost = r->lost;
    c.resets = r->resets;
    c.timeouts = r->timeouts;
    c.latency_mean = r->results ? r->latency_sum / (double)r->results : 0;
    c.latency_worst = r->latency_worst;
    pthread_mutex_unlock(&r->lock);
    if (ok)
        *counters = c;
    return end(error, &own);
}

static tessera_code access_register(tessera_runner *r, int device, uint32_t address, uint32_t *read, uint32_t value, tessera_error *error)
{
    tessera_error own = {TESSERA_OK, ""};
    if (check_device(r, device, &own) &&
        ((address % 4 == 0 && address < 0x1000) ||
         ts_run_fail(&own, TESSERA_USAGE, "there is no register at 0x%x: they are at multiples of 4 below 0x1000", address))) {
        pthread_mutex_lock(&r->control);
        if (read)
            ts_run_read(r->device[device], address, read, &own);
        else
            ts_run_write(r->device[device], address, value, &own);
        pthread_mutex_unlock(&r->control);
    }
    return end(error, &own);
}

tessera_code tessera_run_read(tessera_runner *r, int device, uint32_t address, uint32_t *value, tessera_error *error)
{
    uint32_t unused;
    return access_register(r, device, address, value ? value : &unused, 0, error);
}

tessera_code tessera_run_write(tessera_runner *r, int device, uint32_t address, uint32_t value, tessera_error *error)
{
    return access_register(r, device, address, NULL, value, error);
}
