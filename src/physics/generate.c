#include "physics/generate.h"

#include <math.h>
#include <string.h>

#include "physics/portable_math.h"
#include "physics/rng.h"

enum { MAX_TRIES = 10000 }; /* of one track, until it has three hits */

/* Streams of random numbers of an event. Every try of every track has its own, so that what one draws or drops does not shift the next. */
enum { STREAM_EVENT, STREAM_NOISE, STREAM_ORDER, STREAM_TRACK }; /* track t's try k: STREAM_TRACK + t + k * (most tracks) */

ts_generate_options ts_generate_defaults(void)
{
    return (ts_generate_options){.tracks_lo = 10,
                                 .tracks_hi = 50,
                                 .field = 2,
                                 .efficiency = 0.97,
                                 .overlap = 0.10,
                                 .noise = 0.02,
                                 .smear = 0.05,
                                 .pt_min = 0.15,
                                 .pt_mean = 0.45,
                                 .eta_max = 4,
                                 .sigma_z = 5.5};
}

double ts_helix_curvature(int q, double pt, double field)
{
    return 0.299792458e-3 * q * field / pt; /* c in GeV per T and mm */
}

/* The point at transverse distance r from the beam line, reached after turning by twice the angle with sine s and cosine c: the chord
   points halfway between the first and the present direction. */
static void at_chord(const ts_helix *h, double r, double s, double c, double z, double x[3])
{
    const double turn = h->curvature < 0 ? -s : s;
    x[0] = r * (h->cos_phi * c + h->sin_phi * turn);
    x[1] = r * (h->sin_phi * c - h->cos_phi * turn);
    x[2] = z;
}

bool ts_helix_at_radius(const ts_helix *h, double r, double x[3])
{
    if (h->curvature == 0) {
        at_chord(h, r, 0, 1, h->z0 + r * h->slope, x);
        return true;
    }
    const double diameter = 2 / fabs(h->curvature), s = r / diameter;
    if (s > 1)
        return false;
    at_chord(h, r, s, sqrt((1 - s) * (1 + s)), h->z0 + diameter * ts_asin(s) * h->slope, x);
    return true;
}

bool ts_helix_at_z(const ts_helix *h, double z, double x[3])
{
    const double dz = z - h->z0;
    if (!(dz * h->slope > 0)) /* flies the other way, or not along z at all */
        return false;
    const double path = dz / h->slope; /* transverse */
    if (h->curvature == 0) {
        at_chord(h, path, 0, 1, z, x);
        return true;
    }
    const double diameter = 2 / fabs(h->curvature), angle = path / diameter;
    if (angle > 1.5707963267948966)
        return false;
    double s, c;
    ts_sincos(angle, &s, &c);
    at_chord(h, diameter * s, s, c, z, x);
    return true;
}

typedef struct maker {
    const ts_geometry *geometry;
    const ts_generate_options *o;
    ts_generated_hit *hit;
    int hits, room;
    int64_t crossings;
} maker;

/* Where the helix crosses the surface, or the overlapping module behind it. */
static bool cross(const ts_helix *h, const ts_surface *s, bool behind, double x[3])
{
    const double gap = behind ? s->gap : 0;
    if (s->barrel)
        return ts_helix_at_radius(h, s->at + gap, x) && x[2] >= s->lo && x[2] <= s->hi;
    if (!ts_helix_at_z(h, s->at < 0 ? s->at - gap : s->at + gap, x))
        return false;
    const double rr = x[0] * x[0] + x[1] * x[1];
    return rr >= s->lo * s->lo && rr <= s->hi * s->hi;
}

/* Records the hit, moved within its surface: around the cylinder and along it, or across the disk. */
static void record(maker *m, const ts_surface *s, ts_rng *rng, const double x[3], int particle)
{
    ts_generated_hit *to = &m->hit[m->hits++];
    CHECK(m->hits <= m->room);
    const double a = m->o->smear * ts_rng_normal(rng), b = m->o->smear * ts_rng_normal(rng);
    *to = (ts_generated_hit){.x = {x[0], x[1], x[2]}, .particle = particle};
    if (s->barrel) {
        double sine, cosine;
        ts_sincos(a / sqrt(x[0] * x[0] + x[1] * x[1]), &sine, &cosine);
        to->x[0] = x[0] * cosine - x[1] * sine;
        to->x[1] = x[0] * sine + x[1] * cosine;
        to->x[2] += b;
    } else {
        to->x[0] += a;
        to->x[1] += b;
    }
}

static ts_helix draw_particle(const ts_generate_options *o, ts_rng *rng, ts_particle *p)
{
    const double pt = o->pt_min + o->pt_mean * ts_rng_exponential(rng);
    const double eta = o->eta_max * (2 * ts_rng_uniform(rng) - 1), e = ts_exp(eta);
    ts_helix h;
    ts_sincos_turns(ts_rng_uniform(rng), &h.sin_phi, &h.cos_phi);
    p->q = ts_rng_below(rng, 2) ? 1 : -1;
    p->z0 = h.z0 = o->sigma_z * ts_rng_normal(rng);
    h.slope = (e - 1 / e) / 2;
    h.curvature = ts_helix_curvature(p->q, pt, o->field);
    p->p[0] = pt * h.cos_phi;
    p->p[1] = pt * h.sin_phi;
    p->p[2] = pt * h.slope;
    return h;
}

/* One particle and its hits; those stay only if there are enough. */
static bool try_particle(maker *m, ts_rng *rng, int index, ts_particle *p)
{
    const int before = m->hits;
    const ts_helix h = draw_particle(m->o, rng, p);
    int64_t crossings = 0;
    p->doubles = 0;
    for (int i = 0; i < m->geometry->count; i++) {
        const ts_surface *s = &m->geometry->surface[i];
        double x[3];
        if (!cross(&h, s, false, x))
            continue;
        crossings++;
        if (ts_rng_uniform(rng) >= m->o->efficiency)
            continue;
        record(m, s, rng, x, index);
        if (ts_rng_uniform(rng) < m->o->overlap && cross(&h, s, true, x)) {
            record(m, s, rng, x, index);
            p->doubles++;
        }
    }
    p->hits = m->hits - before;
    if (p->hits < TS_GENERATE_MIN_HITS) {
        m->hits = before;
        return false;
    }
    m->crossings += crossings;
    return true;
}

/* A surface is as likely as any other (outer ones are larger, but coarser), and a point on it as any other. */
static void add_noise(maker *m, ts_rng *rng)
{
    const ts_surface *s = &m->geometry->surface[ts_rng_below(rng, (uint32_t)m->geometry->count)];
    const double u = ts_rng_uniform(rng);
    double sine, cosine;
    ts_sincos_turns(ts_rng_uniform(rng), &sine, &cosine);
    const double r = s->barrel ? s->at : sqrt(s->lo * s->lo + u * (s->hi * s->hi - s->lo * s->lo));
    CHECK(m->hits < m->room);
    m->hit[m->hits++] = (ts_generated_hit){.x = {r * cosine, r * sine, s->barrel ? s->lo + u * (s->hi - s->lo) : s->at}, .particle = -1};
}

static void make_room(maker *m, ts_arena *arena, int more)
{
    if (m->hits + more <= m->room)
        return;
    m->room = 2 * (m->hits + more);
    ts_generated_hit *fresh = TS_NEW_N(arena, ts_generated_hit, m->room);
    if (m->hits)
        memcpy(fresh, m->hit, (size_t)m->hits * sizeof *fresh);
    m->hit = fresh;
}

bool ts_generate(ts_arena *arena, const ts_geometry *geometry, const ts_generate_options *o, int64_t id, ts_generated *event, ts_err *err)
{
    CHECK(id >= 0 && o->tracks_lo >= 1 && o->tracks_lo <= o->tracks_hi && o->tracks_hi <= TS_GENERATE_MAX_TRACKS);
    const uint64_t key = (uint64_t)id;
    ts_rng rng = ts_rng_make(o->seed, key, STREAM_EVENT);
    const int tracks = o->tracks_lo + (int)ts_rng_below(&rng, (uint32_t)(o->tracks_hi - o->tracks_lo + 1));
    const int64_t first_id = ((int64_t)1 << 62) + (int64_t)(ts_rng_bits(&rng) >> 3); /* below 2^63 - TS_GENERATE_MAX_TRACKS */
    ts_particle *particle = TS_NEW_N(arena, ts_particle, tracks);
    maker m = {.geometry = geometry, .o = o};
    int dropped = 0;
    for (int t = 0; t < tracks; t++) {
        particle[t].id = first_id + t;
        make_room(&m, arena, 2 * geometry->count);
        for (int try = 0;; try++, dropped++) {
            if (try == MAX_TRIES)
                return ts_fail(
                    err,
                    "%s: none of %d particles in a row left %d hits or more; the geometry has too few surfaces in their way, or the "
                    "efficiency (%g) is too low",
                    geometry->name, MAX_TRIES, TS_GENERATE_MIN_HITS, o->efficiency);
            rng = ts_rng_make(o->seed, key, (uint32_t)(STREAM_TRACK + t + try * TS_GENERATE_MAX_TRACKS));
            if (try_particle(&m, &rng, t, &particle[t]))
                break;
        }
    }
    rng = ts_rng_make(o->seed, key, STREAM_NOISE);
    const int noise = ts_rng_poisson(&rng, o->noise * m.hits);
    make_room(&m, arena, noise);
    for (int i = 0; i < noise; i++)
        add_noise(&m, &rng);
    rng = ts_rng_make(o->seed, key, STREAM_ORDER);
    for (int i = m.hits - 1; i > 0; i--) {
        const uint32_t j = ts_rng_below(&rng, (uint32_t)i + 1);
        const ts_generated_hit swap = m.hit[i];
        m.hit[i] = m.hit[j];
        m.hit[j] = swap;
    }
    *event = (ts_generated){.id = id,
                            .particles = tracks,
                            .hits = m.hits,
                            .noise = noise,
                            .particle = particle,
                            .hit = m.hit,
                            .dropped = dropped,
                            .crossings = m.crossings};
    return true;
}
