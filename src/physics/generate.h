/* Events of a reduced-order tracking detector: particles from the beam line fly as helices through cylinders and disks, which record
   hits with limited efficiency and resolution, doubled where modules overlap, among noise. docs/events.md has the formulas. An event is
   a function of (geometry, options, event id), the same bits on every machine. */
#ifndef TS_GENERATE_H
#define TS_GENERATE_H
#include <stdint.h>

#include "physics/geometry.h"

enum { TS_GENERATE_MAX_TRACKS = 1000, TS_GENERATE_MIN_HITS = 3 };

typedef struct ts_generate_options {
    uint64_t seed;
    int tracks_lo, tracks_hi; /* of an event: uniform in lo ... hi, 1 ... TS_GENERATE_MAX_TRACKS */
    double field;             /* T along +z; 0: straight tracks */
    double efficiency;        /* that a crossing makes a hit */
    double overlap;           /* that a hit has a second one, on the overlapping module */
    double noise;             /* expected noise hits for every hit of a particle */
    double smear;             /* mm: standard deviation of a hit along each direction of its surface */
    double pt_min, pt_mean;   /* GeV: pT = pt_min + Exp(pt_mean) */
    double eta_max;           /* |pseudorapidity|, uniform below */
    double sigma_z;           /* mm: of the particles' vertices along the beam line */
} ts_generate_options;

/* B = 2 T, efficiency 0.97, overlap 0.10, noise 0.02, 50 um, pT = 0.15 + Exp(0.45) GeV, |eta| < 4, sigma_z = 5.5 mm, 10 to 50 tracks. */
ts_generate_options ts_generate_defaults(void);

typedef struct ts_particle {
    int64_t id;        /* unique in the event; beyond 2^62, and neighbours differ by one: a double cannot tell them apart */
    double p[3];       /* GeV at the vertex */
    int q;             /* +1 or -1 */
    double z0;         /* mm: the vertex is (0, 0, z0) */
    int hits, doubles; /* recorded; doubles of them are the second hit of an overlap */
} ts_particle;

typedef struct ts_generated_hit {
    double x[3];  /* mm */
    int particle; /* index; -1: noise */
} ts_generated_hit;

typedef struct ts_generated {
    int64_t id;
    int particles, hits, noise; /* noise of the hits are no particle's */
    const ts_particle *particle;
    const ts_generated_hit *hit; /* in random order */
    int dropped;                 /* particles that left fewer than three hits and were drawn again */
    int64_t crossings;           /* of surfaces by the particles that were kept */
} ts_generated;

/* Makes event `id` >= 0. Fails where the geometry and options give practically no track of three hits. */
bool ts_generate(ts_arena *arena, const ts_geometry *geometry, const ts_generate_options *options, int64_t id, ts_generated *event,
                 ts_err *err);

/* A charged particle from (0, 0, z0). Seen from +z a positive charge in a positive field turns clockwise. */
typedef struct ts_helix {
    double cos_phi, sin_phi; /* of the momentum at the vertex */
    double slope;            /* dz per transverse path: sinh(eta) */
    double z0;               /* mm */
    double curvature;        /* 1/mm, positive turns clockwise; 0: straight */
} ts_helix;

/* First crossing with the cylinder of radius r > 0, or with the plane at z, within the first half turn; false if there is none. */
bool ts_helix_at_radius(const ts_helix *helix, double r, double x[3]);
bool ts_helix_at_z(const ts_helix *helix, double z, double x[3]);

/* 1/mm for a charge of q times the proton's, pT in GeV and a field in T. */
double ts_helix_curvature(int q, double pt, double field);

#endif
