#include "physics/generate_csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/boundary.h"
#include "base/file.h"
#include "base/memory.h"

/* Events that are made between two writes: enough to keep all threads busy, few enough to stay in memory. */
enum { BATCH = 256 };

enum { ROW_BYTES = 192 }; /* a row at its longest: three ids of 20, seven numbers of at most 14, separators */

static char *put_integer(char *p, int64_t value)
{
    char digit[20];
    int n = 0;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        digit[n++] = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0)
        *p++ = '-';
    while (n > 0)
        *p++ = digit[--n];
    return p;
}

/* x, |x| < 1e7, rounded to `decimals` <= 6; printf would follow the locale and take most of the time. */
static char *put_decimal(char *p, double x, int decimals)
{
    static const int power[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    const int64_t scaled = (int64_t)floor(fabs(x) * power[decimals] + 0.5);
    if (x < 0 && scaled != 0)
        *p++ = '-';
    p = put_integer(p, scaled / power[decimals]);
    int rest = (int)(scaled % power[decimals]), digits = decimals;
    if (rest == 0)
        return p;
    for (; rest % 10 == 0; rest /= 10)
        digits--;
    *p = '.';
    for (int d = digits; d > 0; d--, rest /= 10)
        p[d] = (char)('0' + rest % 10);
    return p + digits + 1;
}

typedef struct chunk { /* the rows of one event */
    char *text;
    size_t size;
    ts_generate_totals count;
    ts_err err;
} chunk;

static void format_event(const ts_generated *ev, chunk *c)
{
    char *p = c->text = ts_malloc((size_t)ev->hits + 1, ROW_BYTES, "the rows of an event");
    for (int i = 0; i < ev->hits; i++) {
        const ts_generated_hit *hit = &ev->hit[i];
        const ts_particle *from = hit->particle < 0 ? NULL : &ev->particle[hit->particle];
        p = put_integer(p, ev->id);
        *p++ = ',';
        p = put_integer(p, i + 1);
        *p++ = ',';
        for (int k = 0; k < 3; k++) {
            p = put_decimal(p, hit->x[k], 4);
            *p++ = ',';
        }
        p = put_integer(p, from ? from->id : 0);
        memcpy(p, from ? ",1," : ",0,", 3);
        p += 3;
        for (int k = 0; k < 3; k++) {
            p = put_decimal(p, from ? from->p[k] : 0, 6);
            *p++ = ',';
        }
        p = put_integer(p, from ? from->q : 0);
        *p++ = '\n';
    }
    c->size = (size_t)(p - c->text);
}

/* Chunks that are made side by side. */
typedef struct making {
    const ts_geometry *geometry;
    const ts_generate_options *options;
    int64_t first;
    chunk *batch;
} making;

static void make_chunk(void *user, int i)
{
    const making *m = user;
    chunk *c = &m->batch[i];
    ts_arena *arena = ts_arena_new();
    ts_generated ev;
    *c = (chunk){.text = NULL};
    if (ts_generate(arena, m->geometry, m->options, m->first + i, &ev, &c->err)) {
        c->count = (ts_generate_totals){1, ev.particles, ev.hits, ev.noise, 0, ev.dropped, ev.crossings};
        for (int t = 0; t < ev.particles; t++)
            c->count.doubles += ev.particle[t].doubles;
        format_event(&ev, c);
    }
    ts_arena_free(arena);
}

static void add_up(ts_generate_totals *sum, const ts_generate_totals *more)
{
    sum->events += more->events;
    sum->particles += more->particles;
    sum->hits += more->hits;
    sum->noise += more->noise;
    sum->doubles += more->doubles;
    sum->dropped += more->dropped;
    sum->crossings += more->crossings;
}

static bool write_events(ts_writer *w, const ts_geometry *geometry, const ts_generate_options *options, int64_t first, int64_t count,
                         void (*progress)(void *user, double share), void *user, ts_generate_totals *totals, ts_err *err)
{
    static const char header[] = "event_id,hit_id,x,y,z,particle_id,weight,px,py,pz,q\n";
    chunk *batch = ts_malloc(BATCH, sizeof *batch, "events");
    bool ok = true;
    fputs(header, w->f);
    for (int64_t done = 0; ok && done < count; done += BATCH) {
        const int now = count - done < BATCH ? (int)(count - done) : BATCH;
        ts_parallel(now, 4, true, make_chunk, &(making){geometry, options, first + done, batch});
        for (int i = 0; i < now; i++) { /* in order: the first failure counts, whatever thread met one first */
            if (ok && batch[i].err.msg[0])
                ok = ts_fail_with(err, &batch[i].err);
            if (ok && fwrite(batch[i].text, 1, batch[i].size, w->f) != batch[i].size)
                ok = false; /* the commit says why */
            add_up(totals, &batch[i].count);
            ts_free(batch[i].text);
        }
        if (progress)
            progress(user, (double)(done + now) / (double)count);
    }
    ts_free(batch);
    return ok;
}

bool ts_generate_csv(const ts_geometry *geometry, const ts_generate_options *options, int64_t first, int64_t count, const char *path,
                     void (*progress)(void *user, double share), void *user, ts_generate_totals *totals, ts_err *err)
{
    ts_generate_totals sum = {0};
    ts_arena *scratch = ts_arena_new();
    ts_writer w;
    bool ok = ts_writer_open(scratch, path, &w, err);
    if (ok) {
        ok = write_events(&w, geometry, options, first, count, progress, user, &sum, err);
        if (err->msg[0])
            ts_writer_abort(&w);
        else
            ok = ts_writer_commit(&w, err) && ok;
    }
    ts_arena_free(scratch);
    if (totals)
        *totals = sum;
    return ok;
}
