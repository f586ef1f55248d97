/* Events in, results out. */
#include <stdlib.h>
#include <string.h>

#include "run/runner.h"

/* ---- In */

static bool check_event(const tessera_runner *r, const tessera_run_event *e, tessera_error *error)
{
    const ts_run_package *p = &r->package;
    if (!e || e->size < sizeof *e)
        return ts_run_fail(error, TESSERA_USAGE, "an event's size is not set: TESSERA_INIT(tessera_run_event) does");
    if ((e->values != NULL) + (e->columns != NULL) + (e->words != NULL) != 1)
        return ts_run_fail(error, TESSERA_USAGE, "an event has exactly one of values, columns and words");
    if (e->hits < 1)
        return ts_run_fail(error, TESSERA_USAGE, "an event of %d hits: it has at least one", e->hits);
    if (p->sample && !e->words && (e->columns || e->hits != 1))
        return ts_run_fail(error, TESSERA_USAGE, "%s takes samples of %lld values: give them as values, with 1 for hits", p->model,
                           (long long)p->sample);
    for (int f = 0; e->columns && f < p->features; f++)
        if (!e->columns[f])
            return ts_run_fail(error, TESSERA_USAGE, "columns[%d] is NULL", f);
    return true;
}

/* The values as the model takes them, for the host's share or for quantising. */
static bool fill_values(const tessera_runner *r, const tessera_run_event *e, ts_run_slot *s, tessera_error *error)
{
    const ts_run_package *p = &r->package;
    const size_t count = p->sample ? (size_t)p->sample : (size_t)e->hits * (size_t)p->features;
    if (s->room < count) {
        free(s->values);
        s->room = 0;
        s->values = malloc(count * sizeof *s->values);
        if (!s->values)
            return ts_run_fail_memory(error, count * sizeof *s->values);
        s->room = count;
    }
    return ts_run_standardise(p, s->numbers, e, s->values, error);
}

/* The event's bytes; *refused: it has too many hits for the hardware, and none. */
static bool fill(const tessera_runner *r, const tessera_run_event *e, ts_run_slot *s, bool *refused, tessera_error *error)
{
    const ts_run_package *p = &r->package;
    int32_t tokens = e->hits;
    s->hits = e->hits;
    s->user = e->user;
    s->shared = p->assisted && !e->words;
    if (!e->words && !fill_values(r, e, s, error))
        return false;
    if (s->shared && r->library.call.front(r->engine, e->hits, s->values, &tokens, NULL, error) != TESSERA_OK)
        return false;
    s->tokens = tokens;
    *refused = tokens > p->max_tokens;
    if (*refused)
        return true;
    const int32_t *words = e->words;
    int32_t *own = words ? NULL : malloc((size_t)tokens * (size_t)p->in.values * sizeof *own);
    bool ok = words ? ts_run_check_words(&p->in, tokens, words, error)
                    : own != NULL || ts_run_fail_memory(error, (size_t)tokens * (size_t)p->in.values * sizeof *own);
    if (ok && own) {
        if (s->shared)
            ok = r->library.call.front(r->engine, e->hits, s->values, NULL, own, error) == TESSERA_OK;
        else
            ts_run_quantise(&p->in, s->numbers->in, tokens, s->values, own);
    }
    if (ok) {
        ts_run_pack(&p->in, tokens, words ? words : own, s->in);
        s->in_size = ts_run_stream_size(&p->in, tokens);
    }
    free(own);
    return ok;
}

/* A slot that nobody has; NULL with an error: none in time, or nothing goes. */
static ts_run_slot *find_room(tessera_runner *r, double seconds, tessera_error *error)
{
    const int64_t until = ts_run_until(r, seconds);
    for (;;) {
        if (r->broken) {
            *error = r->failure;
            return NULL;
        }
        for (int i = 0; i < r->depth && !r->loading; i++)
            if (r->slot[i].state == TS_RUN_FREE)
                return &r->slot[i];
        if (ts_run_now() >= until)
            break;
        ts_run_move_some(r, until);
    }
    if (r->loading)
        ts_run_fail(error, TESSERA_NOT_YET, "weights are being loaded");
    else
        ts_run_fail(error, TESSERA_NOT_YET, "%d events are submitted and their results not taken: that is the handle's depth", r->depth);
    return NULL;
}

static void enqueue(tessera_runner *r, ts_run_slot *s, bool refused)
{
    s->number = r->next++;
    s->submitted = s->here = ts_run_now();
    s->next = NULL;
    if (r->last)
        r->last->next = s;
    else
        r->first = s;
    r->last = s;
    s->state = refused ? TS_RUN_HERE : TS_RUN_QUEUED;
    s->status = refused ? TESSERA_RUN_REFUSED : TESSERA_RUN_DONE;
    pthread_cond_broadcast(&r->changed);
}

tessera_code tessera_run_submit(tessera_runner *r, const tessera_run_event *event, double seconds, uint64_t *number, tessera_error *error)
{
    tessera_error own = {TESSERA_OK, ""};
    bool refused = false, ok = check_event(r, event, &own);
    ts_run_slot *s = NULL;
    if (ok) {
        pthread_mutex_lock(&r->lock);
        s = find_room(r, seconds, &own);
        if (s) {
            s->state = TS_RUN_FILLING;
            s->numbers = r->package.numbers;
        }
        pthread_mutex_unlock(&r->lock);
        ok = s && fill(r, event, s, &refused, &own);
    }
    if (s) {
        pthread_mutex_lock(&r->lock);
        if (ok && r->broken) { /* since then */
            own = r->failure;
            ok = false;
        }
        if (ok) {
            enqueue(r, s, refused);
            if (number)
                *number = s->number;
            ts_run_send_some(r);
        } else {
            s->state = TS_RUN_FREE;
            pthread_cond_broadcast(&r->changed);
        }
        pthread_mutex_unlock(&r->lock);
    }
    if (error)
        *error = own;
    return own.code;
}

/* ---- Out */

static int64_t rows_of(const tessera_runner *r, const ts_run_slot *s)
{
    const ts_run_package *p = &r->package;
    if (s->status == TESSERA_RUN_REFUSED || s->status == TESSERA_RUN_LOST)
        return 0;
    if (!s->shared)
        return ts_run_word_rows(p, s->tokens);
    return p->rows_pooled ? 1 : p->sample ? s->tokens : s->hits;
}

static void unlink_slot(tessera_runner *r, ts_run_slot *s)
{
    ts_run_slot *before = NULL, *at = r->first;
    while (at != s) {
        before = at;
        at = at->next;
    }
    if (before)
        before->next = s->next;
    else
        r->first = s->next;
    if (r->last == s)
        r->last = before;
}

/* The result's words and real values, outside of the lock. */
static bool give(const tessera_runner *r, const ts_run_slot *s, tessera_run_result *result, tessera_error *error)
{
    const ts_run_package *p = &r->package;
    const int64_t rows = ts_run_word_rows(p, s->tokens);
    if (result->rows == 0 || (!result->values && !result->words))
        return true;
    int32_t *own = result->words ? NULL : malloc((size_t)rows * (size_t)p->out.values * sizeof *own);
    int32_t *words = result->words ? result->words : own;
    if (!words)
        return ts_run_fail_memory(error, (size_t)rows * (size_t)p->out.values * sizeof *own);
    ts_run_unpack(&p->out, rows, s->out, words);
    bool ok = true;
    if (result->values && s->shared)
        ok = r->library.call.back(r->engine, s->hits, s->values, words, result->values, error) == TESSERA_OK;
    else if (result->values)
        ts_run_dequantise(p, s->numbers, rows, words, result->values);
    free(own);
    return ok;
}

/* Rows that the caller must have place for: of words there may be more or fewer than of values. */
static int64_t room_for(const tessera_runner *r, const ts_run_slot *s, const tessera_run_result *result)
{
    const int64_t rows = rows_of(r, s), words = rows ? ts_run_word_rows(&r->package, s->tokens) : 0;
    const int64_t least = result->values ? rows : 0;
    return result->words && words > least ? words : least;
}

/* The slot that is meant, when it is here; NULL with a code: not yet, or never. */
static ts_run_slot *find_result(tessera_runner *r, uint64_t number, int64_t until, tessera_error *error)
{
    for (bool waited = false;; waited = true) {
        ts_run_slot *s = r->first;
        while (s && (number == TESSERA_RUN_NEXT ? s->state != TS_RUN_HERE : s->number != number))
            s = s->next;
        if (number != TESSERA_RUN_NEXT && (!s || s->state == TS_RUN_LEAVING)) {
            ts_run_fail(error, TESSERA_USAGE, number < r->next ? "the result of event %llu was taken already" : "there is no event %llu",
                        (unsigned long long)number);
            return NULL;
        }
        if (s && s->state == TS_RUN_HERE)
            return s;
        if (number == TESSERA_RUN_NEXT && r->broken) {
            *error = r->failure;
            return NULL;
        }
        if (waited && ts_run_now() >= until) {
            ts_run_fail(error, TESSERA_NOT_YET, r->first ? "no result yet, %d event(s) are in the devices" : "nothing is submitted",
                        r->inside);
            return NULL;
        }
        ts_run_move_some(r, until);
    }
}

static void report(tessera_run_result *result, const tessera_runner *r, const ts_run_slot *s)
{
    result->number = s->number;
    result->user = s->user;
    result->status = s->status;
    result->rows = rows_of(r, s);
    result->latency = s->here - s->submitted;
}

tessera_code tessera_run_wait(tessera_runner *r, uint64_t number, double seconds, tessera_run_result *result, tessera_error *error)
{
    tessera_error own = {TESSERA_OK, ""};
    if (!result || result->size < sizeof *result) {
        ts_run_fail(&own, TESSERA_USAGE, "a result's size is not set: TESSERA_INIT(tessera_run_result) does");
        if (error)
            *error = own;
        return own.code;
    }
    const int64_t until = ts_run_until(r, seconds);
    pthread_mutex_lock(&r->lock);
    ts_run_slot *s = find_result(r, number, until, &own);
    if (s) {
        report(result, r, s);
        const int64_t wanted = room_for(r, s, result);
        if (result->room < wanted) {
            ts_run_fail(&own, TESSERA_USAGE, "event %llu has %lld rows, the result has room for %lld", (unsigned long long)s->number,
                        (long long)wanted, (long long)result->room);
            s = NULL;
        }
    }
    if (s) {
        s->state = TS_RUN_LEAVING;
        if (s->status == TESSERA_RUN_LOST)
            own = r->lost_to;
        pthread_mutex_unlock(&r->lock);
        if (result->status != TESSERA_RUN_LOST && !give(r, s, result, &own))
            ts_run_fail_in(&own, "event %llu", (unsigned long long)s->number);
        pthread_mutex_lock(&r->lock);
        unlink_slot(r, s);
        s->state = TS_RUN_FREE;
        r->taken++;
        pthread_cond_broadcast(&r->changed);
    }
    pthread_mutex_unlock(&r->lock);
    if (error)
        *error = own;
    return own.code;
}

int tessera_run_poll(tessera_runner *r, int *inside)
{
    int here = 0, others = 0;
    pthread_mutex_lock(&r->lock);
    for (int i = 0; i < r->depth && !r->broken && !r->halted && ts_run_first(r, TS_RUN_SENT); i++) {
        const uint64_t before = r->results;
        ts_run_move_some(r, 0);
        if (r->results == before)
            break;
    }
    if (!r->broken && !r->halted)
        ts_run_send_some(r);
    for (const ts_run_slot *s = r->first; s; s = s->next) {
        here += s->state == TS_RUN_HERE;
        others += s->state == TS_RUN_QUEUED || s->state == TS_RUN_SENT;
    }
    pthread_mutex_unlock(&r->lock);
    if (inside)
        *inside = others;
    return here;
}
