/* Events through devices, and the hangs that are met. */
#include <string.h>

#include "run/runner.h"

enum { SLICE = 2000000 /* nanoseconds that a call waits inside of a device at a time: others may want it to send */ };

int64_t ts_run_until(const tessera_runner *r, double seconds)
{
    const double wanted = seconds < 0 ? r->timeout : seconds;
    return ts_run_now() + (int64_t)((wanted < 1e9 ? wanted : 1e9) * 1e9);
}

ts_run_slot *ts_run_first(const tessera_runner *r, ts_run_state state)
{
    ts_run_slot *s = r->first;
    while (s && s->state != state)
        s = s->next;
    return s;
}

void ts_run_wait_changed(tessera_runner *r, int64_t until)
{
    const struct timespec t = {(time_t)(until / 1000000000), (long)(until % 1000000000)};
    pthread_cond_timedwait(&r->changed, &r->lock, &t);
}

void ts_run_break(tessera_runner *r, const tessera_error *why)
{
    if (!r->broken) {
        r->failure = r->lost_to = *why;
        r->timeouts += why->code == TESSERA_TIMED_OUT;
    }
    r->broken = true;
    for (ts_run_slot *s = r->first; s; s = s->next)
        if (s->state == TS_RUN_QUEUED || s->state == TS_RUN_SENT) {
            s->state = TS_RUN_HERE;
            s->status = TESSERA_RUN_LOST;
            s->here = ts_run_now();
            r->lost++;
        }
    pthread_cond_broadcast(&r->changed);
}

/* ---- In */

static bool send_one(tessera_runner *r, ts_run_slot *s)
{
    tessera_error error = {TESSERA_OK, ""};
    r->sending = true;
    if (!r->send_since)
        r->send_since = ts_run_now();
    pthread_mutex_unlock(&r->lock);
    const ts_run_move move = r->device[0]->kind->send(r->device[0], s->in, s->in_size, &error);
    pthread_mutex_lock(&r->lock);
    r->sending = false;
    pthread_cond_broadcast(&r->changed);
    if (move == TS_RUN_MOVED) {
        s->sent = ts_run_now();
        r->inside++;
        r->send_since = 0;
        if (s->state == TS_RUN_QUEUED) /* otherwise it was lost meanwhile, and its result will be thrown away */
            s->state = TS_RUN_SENT;
    } else if (move == TS_RUN_BROKEN) {
        ts_run_fail_in(&error, "%s: hits of event %llu", r->device[0]->name, (unsigned long long)s->number);
        ts_run_break(r, &error);
    }
    return move == TS_RUN_MOVED;
}

void ts_run_send_some(tessera_runner *r)
{
    while (!r->sending && !r->halted && !r->broken) {
        ts_run_slot *s = ts_run_first(r, TS_RUN_QUEUED);
        if (!s || !send_one(r, s))
            return;
    }
}

/* ---- Out */

/* Whether the bytes are what such an event has; an event that was refused has one transfer of zeros. */
static bool is_result(const tessera_runner *r, const ts_run_slot *s, size_t size, unsigned flags)
{
    const size_t whole = ts_run_stream_size(&r->package.out, ts_run_word_rows(&r->package, s->tokens));
    return size == whole || ((flags & TS_RUN_FLAG_REFUSED) && size == r->package.out.slot);
}

bool ts_run_arrived(tessera_runner *r, ts_run_slot *s, size_t size, unsigned flags, tessera_error *error)
{
    const size_t came = size;
    if (!ts_run_take_status(&r->package, s->out, &size, &flags) || !is_result(r, s, size, flags))
        return ts_run_fail(error, TESSERA_NO_DEVICE,
                           "%s: a result of %zu bytes came, event %llu of %lld tokens has %zu: results and events are out of step; "
                           "tessera_run_reset is next",
                           r->device[r->devices - 1]->name, came, (unsigned long long)s->number, (long long)s->tokens,
                           ts_run_stream_size(&r->package.out, ts_run_word_rows(&r->package, s->tokens)));
    s->out_size = size;
    s->here = ts_run_now();
    s->state = TS_RUN_HERE;
    s->status = flags & TS_RUN_FLAG_REFUSED ? TESSERA_RUN_REFUSED : flags & TS_RUN_FLAG_ERROR ? TESSERA_RUN_DAMAGED : TESSERA_RUN_DONE;
    const double latency = (double)(s->here - s->submitted) * 1e-9;
    r->results++;
    r->latency_sum += latency;
    r->latency_worst = latency > r->latency_worst ? latency : r->latency_worst;
    return true;
}

/* One result, if there is one, into the slot of the oldest event that is inside. */
static bool take_one(tessera_runner *r)
{
    ts_run_slot *s = ts_run_first(r, TS_RUN_SENT);
    ts_run_device *d = r->device[r->devices - 1];
    tessera_error error = {TESSERA_OK, ""};
    size_t size = 0;
    unsigned flags = 0;
    if (!s)
        return false;
    r->taking = true;
    pthread_mutex_unlock(&r->lock);
    const ts_run_move move = d->kind->take(d, s->out, d->most_out, &size, &flags, &error);
    pthread_mutex_lock(&r->lock);
    r->taking = false;
    pthread_cond_broadcast(&r->changed);
    if (move == TS_RUN_BUSY)
        return false;
    if (move == TS_RUN_BROKEN) {
        ts_run_fail_in(&error, "%s: results of event %llu", d->name, (unsigned long long)s->number);
        ts_run_break(r, &error);
        return false;
    }
    r->inside--;
    r->moved = ts_run_now();
    if (s->state != TS_RUN_SENT) /* lost meanwhile */
        return true;
    if (!ts_run_arrived(r, s, size, flags, &error))
        ts_run_break(r, &error);
    return true;
}

/* ---- Hangs */

/* Since when the devices owe something; 0: they do not. */
static int64_t owed_since(const tessera_runner *r)
{
    const ts_run_slot *inside = ts_run_first(r, TS_RUN_SENT);
    const int64_t since = inside ? inside->sent : r->send_since;
    return !since || since > r->moved ? since : r->moved;
}

static void hang(tessera_runner *r, int64_t since)
{
    const ts_run_slot *inside = ts_run_first(r, TS_RUN_SENT), *queued = ts_run_first(r, TS_RUN_QUEUED);
    const ts_run_slot *s = inside ? inside : queued;
    tessera_error error = {TESSERA_OK, ""};
    if (!s)
        return;
    const double waited = (double)(ts_run_now() - since) * 1e-9;
    if (inside)
        ts_run_fail(&error, TESSERA_TIMED_OUT, "%s: no result of event %llu for %.3g s", r->device[r->devices - 1]->name,
                    (unsigned long long)s->number, waited);
    else
        ts_run_fail(&error, TESSERA_TIMED_OUT, "%s: takes no hits of event %llu for %.3g s", r->device[0]->name,
                    (unsigned long long)s->number, waited);
    ts_run_break(r, &error);
    /* What the registers say takes accesses, each of which may take its time-out. */
    pthread_mutex_unlock(&r->lock);
    if (pthread_mutex_trylock(&r->control) == 0) {
        ts_run_describe_hang(r, &error);
        pthread_mutex_unlock(&r->control);
    }
    pthread_mutex_lock(&r->lock);
    if (r->broken && r->failure.code == TESSERA_TIMED_OUT)
        r->failure = r->lost_to = error;
    pthread_cond_broadcast(&r->changed);
}

void ts_run_move_some(tessera_runner *r, int64_t until)
{
    const int64_t now = ts_run_now();
    int64_t slice = now + SLICE < until ? now + SLICE : until;
    if (r->halted || r->broken) {
        ts_run_wait_changed(r, until);
        return;
    }
    if (!r->sending)
        ts_run_send_some(r);
    if (r->broken || r->halted)
        return;
    ts_run_slot *inside = ts_run_first(r, TS_RUN_SENT);
    if (inside && !r->taking && take_one(r))
        return;
    if (r->broken || r->halted)
        return;
    const int64_t since = owed_since(r);
    if (since && (double)(now - since) * 1e-9 > r->timeout) {
        hang(r, since);
        return;
    }
    if (until <= now)
        return;
    if (r->taking || (!inside && !ts_run_first(r, TS_RUN_QUEUED))) {
        ts_run_wait_changed(r, r->taking ? slice : until);
        return;
    }
    ts_run_device *d = r->device[inside ? r->devices - 1 : 0];
    r->taking = true;
    pthread_mutex_unlock(&r->lock);
    d->kind->wait(d, (double)(slice - now) * 1e-9);
    pthread_mutex_lock(&r->lock);
    r->taking = false;
    pthread_cond_broadcast(&r->changed);
}
