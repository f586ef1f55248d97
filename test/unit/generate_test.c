/* Generated events: helices against a numerical integration, rates and spectra against what was asked for, the bytes of the file. Files
   are made in a temporary folder, which is the current one meanwhile. */
#include <dirent.h>
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "data/events.h"
#include "physics/generate_csv.h"

static ts_arena *arena;
static const ts_geometry *trackml, *redvid;
static char folder[] = "/tmp/generate_test_XXXXXX";

static int setup(void **state)
{
    (void)state;
    ts_err err = {""};
    arena = ts_arena_new();
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    trackml = ts_geometry_find(arena, "trackml-like", &err);
    redvid = ts_geometry_find(arena, "redvid-like", &err);
    assert_string_equal(err.msg, "");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ts_arena_free(arena);
    DIR *dir = opendir(".");
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            assert_int_equal(unlink(entry->d_name), 0);
    closedir(dir);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(folder), 0);
    return 0;
}

static ts_generated make(const ts_geometry *geometry, const ts_generate_options *o, int64_t id)
{
    ts_generated ev;
    ts_err err = {""};
    if (!ts_generate(arena, geometry, o, id, &ev, &err))
        fail_msg("%s", err.msg);
    return ev;
}

/* ---- helices: dp/dt = q v x B, integrated by Runge and Kutta's fourth-order rule over the transverse path */

typedef struct point {
    double x[3], u[3]; /* mm; direction of flight, transverse length 1 */
} point;

/* Along the transverse path l: dx/dl = u, du/dl = (q c B / pT) u x e_z, with c B / pT in 1/mm. */
static point derivative(point s, double qcb_over_pt)
{
    return (point){{s.u[0], s.u[1], s.u[2]}, {qcb_over_pt * s.u[1], -qcb_over_pt * s.u[0], 0}};
}

static point moved(point s, point by, double step)
{
    for (int i = 0; i < 3; i++) {
        s.x[i] += step * by.x[i];
        s.u[i] += step * by.u[i];
    }
    return s;
}

static point runge_kutta(point s, double k, double h)
{
    const point a = derivative(s, k), b = derivative(moved(s, a, h / 2), k), c = derivative(moved(s, b, h / 2), k),
                d = derivative(moved(s, c, h), k);
    return moved(moved(moved(moved(s, a, h / 6), b, h / 3), c, h / 3), d, h / 6);
}

/* How far the point is beyond the surface, mm. */
static double beyond(const ts_surface *s, point p)
{
    return s->barrel ? hypot(p.x[0], p.x[1]) - s->at : s->at < 0 ? s->at - p.x[2] : p.x[2] - s->at;
}

/* The first crossing within the first half turn, by steps of 1 mm and bisection of the last one; false without one. */
static bool integrate(const ts_surface *s, double phi, double slope, double z0, double k, double x[3])
{
    const double end = k == 0 ? 5000 : acos(-1) / fabs(k);
    point p = {{0, 0, z0}, {cos(phi), sin(phi), slope}};
    for (double path = 0; path < end; path += 1) {
        const double step = end - path < 1 ? end - path : 1;
        const point next = runge_kutta(p, k, step);
        if (beyond(s, next) < 0) {
            p = next;
            continue;
        }
        double lo = 0, hi = step;
        for (int i = 0; i < 50; i++) {
            const double middle = (lo + hi) / 2;
            *(beyond(s, runge_kutta(p, k, middle)) < 0 ? &lo : &hi) = middle;
        }
        memcpy(x, runge_kutta(p, k, hi).x, 3 * sizeof *x);
        return true;
    }
    return false;
}

static void helices_cross_where_the_equation_of_motion_says(void **state)
{
    (void)state;
    static const double pt[] = {0.15, 0.2, 0.31, 1, 10}, eta[] = {-3.5, -1.2, 0.01, 0.8, 2.5};
    static const double field[] = {2, -3.8, 0};
    const ts_surface surface[] = {{true, 32, -1e5, 1e5, 0}, {true, 500, -1e5, 1e5, 0}, {true, 1020, -1e5, 1e5, 0},
                                  {false, 600, 0, 1e5, 0},  {false, -1500, 0, 1e5, 0}, {false, 2950, 0, 1e5, 0}};
    double worst = 0;
    int crossings = 0, misses = 0;
    for (int i = 0; i < 5 * 5 * 3 * 6; i++) {
        const double p = pt[i % 5], e = eta[i / 5 % 5], b = field[i / 25 % 3], phi = 0.7 * i, z0 = 40.0 * (i % 3 - 1);
        const ts_surface *s = &surface[i / 75];
        const int q = i % 2 ? 1 : -1;
        const ts_helix h = {cos(phi), sin(phi), sinh(e), z0, ts_helix_curvature(q, p, b)};
        double expected[3], x[3];
        /* p [GeV/c] = 1e-9 c q B R: q c B / pT with c = 299792458 m/s, R in mm */
        const bool there = integrate(s, phi, sinh(e), z0, q * 299792458 * 1e-9 * b / p * 1e-3, expected);
        const bool found = s->barrel ? ts_helix_at_radius(&h, s->at, x) : ts_helix_at_z(&h, s->at, x);
        if (!there && found && b == 0) /* straight and almost along the disk: beyond the integration's 5 m */
            continue;
        assert_int_equal(found, there);
        *(there ? &crossings : &misses) += 1;
        for (int k = 0; k < 3 && there; k++)
            worst = fmax(worst, fabs(x[k] - expected[k]));
    }
    print_message("%d crossings, %d misses; worst distance from the integration %.1e mm\n", crossings, misses, worst);
    assert_true(crossings > 150 && misses > 50 && worst < 1e-6);

    /* A quarter and a half turn by hand: R = 100 mm, clockwise from +x. */
    const ts_helix h = {1, 0, 1, 0, 0.01};
    double x[3];
    assert_true(ts_helix_at_z(&h, 100 * acos(0), x) && fabs(x[0] - 100) < 1e-9 && fabs(x[1] + 100) < 1e-9);
    assert_true(ts_helix_at_radius(&h, 200, x) && fabs(x[0]) < 1e-9 && fabs(x[1] + 200) < 1e-9 && fabs(x[2] - 100 * acos(-1)) < 1e-9);
    assert_false(ts_helix_at_radius(&h, 200.001, x));
    assert_false(ts_helix_at_z(&h, 100 * acos(-1) + 0.001, x)); /* the second half turn */
    assert_false(ts_helix_at_z(&h, -1, x));
}

/* ---- single events */

static void hits_lie_on_surfaces(void **state)
{
    (void)state;
    ts_generate_options o = ts_generate_defaults();
    o.seed = 5;
    o.smear = 0;
    for (int e = 0; e < 20; e++) {
        const ts_geometry *g = e % 2 ? trackml : redvid;
        const ts_generated ev = make(g, &o, e);
        for (int i = 0; i < ev.hits; i++) {
            const double *x = ev.hit[i].x, r = hypot(x[0], x[1]);
            bool on = false;
            for (int s = 0; s < g->count && !on; s++) {
                const ts_surface *f = &g->surface[s];
                const double away = f->barrel ? r - f->at : (x[2] - f->at) * (f->at < 0 ? -1 : 1), along = f->barrel ? x[2] : r;
                on = (fabs(away) < 1e-9 || (fabs(away - f->gap) < 1e-9 && ev.hit[i].particle >= 0)) && along >= f->lo && along <= f->hi;
            }
            assert_true(on);
        }
    }
}

static void events_are_as_promised(void **state)
{
    (void)state;
    ts_generate_options o = ts_generate_defaults();
    o.seed = 1;
    int tracks_seen[41] = {0}, neighbours = 0, pairs = 0;
    double expected_neighbours = 0, particles = 0, hits = 0, with_17 = 0;
    for (int e = 0; e < 400; e++) {
        const ts_generated ev = make(trackml, &o, e);
        assert_in_range(ev.particles, 10, 50);
        tracks_seen[ev.particles - 10]++;
        int *count = TS_NEW_N(arena, int, ev.particles), noise = 0;
        for (int i = 0; i < ev.hits; i++) {
            *(ev.hit[i].particle < 0 ? &noise : &count[ev.hit[i].particle]) += 1;
            neighbours += i > 0 && ev.hit[i].particle >= 0 && ev.hit[i].particle == ev.hit[i - 1].particle;
        }
        assert_int_equal(noise, ev.noise);
        double same = 0; /* chance that two hits are of the same particle */
        for (int t = 0; t < ev.particles; t++) {
            const ts_particle *p = &ev.particle[t];
            assert_true(count[t] == p->hits && p->hits >= TS_GENERATE_MIN_HITS);
            assert_true(p->id > (int64_t)1 << 60 && (t == 0 || p->id == p[-1].id + 1));
            assert_true(abs(p->q) == 1 && hypot(p->p[0], p->p[1]) >= 0.15 * (1 - 1e-12));
            same += (double)p->hits * (p->hits - 1) / ((double)ev.hits * (ev.hits - 1));
            hits += p->hits;
            with_17 += p->hits >= 17;
        }
        if (ev.particles >= 30)
            assert_true((double)ev.particle[0].id == (double)ev.particle[1].id); /* which is why ids must never be doubles */
        pairs += ev.hits - 1;
        expected_neighbours += same * (ev.hits - 1);
        particles += ev.particles;
    }
    int different = 0;
    for (int k = 0; k < 41; k++)
        different += tracks_seen[k] > 0;
    print_message("%.2f hits a track; %d of %d neighbouring hits are of one particle, %.0f expected of a random order\n", hits / particles,
                  neighbours, pairs, expected_neighbours);
    assert_true(different >= 40 && tracks_seen[0] && tracks_seen[40]);
    assert_true(hits / particles > 9 && hits / particles < 11 && with_17 / particles < 0.01);
    assert_true(fabs(neighbours - expected_neighbours) < 5 * sqrt(expected_neighbours));
}

static void thousand_tracks(void **state)
{
    (void)state;
    ts_generate_options o = ts_generate_defaults();
    o.tracks_lo = o.tracks_hi = TS_GENERATE_MAX_TRACKS;
    const ts_generated ev = make(trackml, &o, 1000000000);
    assert_true(ev.particles == 1000 && ev.hits > 8000 && ev.hits < 12000);
}

static void smearing_has_its_width(void **state)
{
    (void)state;
    /* The same seed with and without smearing: the same hits, moved. */
    ts_generate_options o = ts_generate_defaults();
    double across[2] = {0}, normal = 0, noise = 0;
    int n[2] = {0};
    for (int e = 0; e < 40; e++) {
        o.smear = 0;
        const ts_generated exact = make(trackml, &o, e);
        o.smear = 0.05;
        const ts_generated moved_by = make(trackml, &o, e);
        assert_int_equal(exact.hits, moved_by.hits);
        for (int i = 0; i < exact.hits; i++) {
            const double *a = exact.hit[i].x, *b = moved_by.hit[i].x, r = hypot(a[0], a[1]), dx = b[0] - a[0], dy = b[1] - a[1],
                         dz = b[2] - a[2];
            if (exact.hit[i].particle < 0) {
                noise = fmax(noise, fabs(dx) + fabs(dy) + fabs(dz));
                continue;
            }
            const bool disk = dz == 0;
            const double around = (dy * a[0] - dx * a[1]) / r, outwards = hypot(b[0], b[1]) - r;
            across[disk] += disk ? dx * dx + dy * dy : around * around + dz * dz;
            n[disk] += 2;
            normal = fmax(normal, disk ? 0 : fabs(outwards));
        }
    }
    for (int k = 0; k < 2; k++) {
        const double sigma = sqrt(across[k] / n[k]);
        print_message("%s: %.2f um over %d coordinates\n", k ? "disks" : "cylinders", 1000 * sigma, n[k]);
        assert_true(fabs(sigma / 0.05 - 1) < 5 / sqrt(2.0 * n[k]));
    }
    assert_true(normal < 1e-10 && noise == 0);
}

/* ---- rates, on a detector without edges: every particle crosses every surface and its overlap */

static void rates_are_as_asked(void **state)
{
    (void)state;
    ts_surface surface[10];
    for (int i = 0; i < 10; i++)
        surface[i] = (ts_surface){true, 10 + i, -1e5, 1e5, 0.5};
    const ts_geometry tube = {"tube", "", "", 10, surface};
    ts_generate_options o = ts_generate_defaults();
    o.eta_max = 1;
    o.tracks_lo = o.tracks_hi = 100;
    static const double set[][3] = {{0.97, 0.10, 0.02}, {0.8, 0.5, 0.3}, {1, 0, 0}, {1, 1, 1}};
    for (size_t k = 0; k < sizeof set / sizeof *set; k++) {
        o.efficiency = set[k][0];
        o.overlap = set[k][1];
        o.noise = set[k][2];
        double crossings = 0, first = 0, doubles = 0, noise = 0;
        for (int e = 0; e < 50; e++) {
            const ts_generated ev = make(&tube, &o, e);
            assert_int_equal(ev.crossings, 1000);
            crossings += (double)ev.crossings;
            noise += ev.noise;
            for (int t = 0; t < ev.particles; t++) {
                first += ev.particle[t].hits - ev.particle[t].doubles;
                doubles += ev.particle[t].doubles;
            }
        }
        print_message("efficiency %.4f (%g), overlaps %.4f (%g), noise %.4f (%g)\n", first / crossings, o.efficiency, doubles / first,
                      o.overlap, noise / (first + doubles), o.noise);
        assert_true(fabs(first / crossings - o.efficiency) <= 5 * sqrt(o.efficiency * (1 - o.efficiency) / crossings));
        assert_true(fabs(doubles / first - o.overlap) <= 5 * sqrt(o.overlap * (1 - o.overlap) / first));
        assert_true(fabs(noise / (first + doubles) - o.noise) <= 5 * sqrt(o.noise / (first + doubles)));
    }
}

/* ---- spectra: Kolmogorov and Smirnov's distance of a sample from its distribution */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double uniform_eta(double x)
{
    return (x + 4) / 8;
}

static double uniform_phi(double x)
{
    return x / (2 * acos(-1)) + 0.5;
}

static double exponential_pt(double x)
{
    return x < 0.15 ? 0 : 1 - exp(-(x - 0.15) / 0.45);
}

static double normal_z(double x)
{
    return 0.5 * erfc(-x / 5.5 / sqrt(2));
}

static void expect_distribution(const char *what, double *x, int n, double (*cumulative)(double))
{
    qsort(x, (size_t)n, sizeof *x, ascending);
    double distance = 0;
    for (int i = 0; i < n; i++) {
        const double f = cumulative(x[i]);
        distance = fmax(distance, fmax(f - (double)i / n, (double)(i + 1) / n - f));
    }
    print_message("%s: distance %.2f / sqrt(n)\n", what, distance * sqrt(n));
    assert_true(distance * sqrt(n) < 2.2); /* exceeded once in 8,000 */
}

static void spectra_are_as_stated(void **state)
{
    (void)state;
    enum { EVENTS = 40, N = EVENTS * 1000 };
    /* Efficient tubes that everything crosses: no particle is dropped, so what is kept is what was drawn. */
    const ts_surface surface[] = {{true, 2, -1e5, 1e5, 0}, {true, 3, -1e5, 1e5, 0}, {true, 4, -1e5, 1e5, 0}};
    const ts_geometry tube = {"tube", "", "", 3, surface};
    ts_generate_options o = ts_generate_defaults();
    o.tracks_lo = o.tracks_hi = 1000;
    o.efficiency = 1;
    double *pt = TS_NEW_N(arena, double, N), *eta = TS_NEW_N(arena, double, N), *phi = TS_NEW_N(arena, double, N),
           *z = TS_NEW_N(arena, double, N), charge = 0;
    for (int e = 0; e < EVENTS; e++) {
        const ts_generated ev = make(&tube, &o, e);
        assert_int_equal(ev.dropped, 0);
        for (int t = 0; t < 1000; t++) {
            const ts_particle *p = &ev.particle[t];
            const int i = 1000 * e + t;
            pt[i] = hypot(p->p[0], p->p[1]);
            eta[i] = asinh(p->p[2] / pt[i]);
            phi[i] = atan2(p->p[1], p->p[0]);
            z[i] = p->z0;
            charge += p->q;
        }
    }
    assert_true(fabs(charge) < 5 * sqrt(N));
    expect_distribution("pT", pt, N, exponential_pt);
    expect_distribution("eta", eta, N, uniform_eta);
    expect_distribution("phi", phi, N, uniform_phi);
    expect_distribution("z0", z, N, normal_z);
}

/* ---- the file */

/* FNV-1a sums of 20 events of 3 to 8 tracks, seed 2024. */
#define TRACKML_SUM 0x7c568daaffd1fb15u
#define REDVID_SUM 0xab8223d862be92ccu

static const char *slurp(const char *path)
{
    size_t size;
    ts_err err = {""};
    const char *text = ts_file_read(arena, path, &size, &err);
    assert_string_equal(err.msg, "");
    return text;
}

static const char *written(const char *path, const ts_geometry *g, const ts_generate_options *o, int first, int count)
{
    ts_err err = {""};
    ts_generate_totals t;
    if (!ts_generate_csv(g, o, first, count, path, NULL, NULL, &t, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(t.events, count);
    return slurp(path);
}

static uint64_t fnv1a(const char *text)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3u;
    return h;
}

static void file_does_not_depend_on_threads_or_machine(void **state)
{
    (void)state;
    ts_generate_options o = ts_generate_defaults();
    o.seed = 42;
    o.tracks_lo = 3;
    o.tracks_hi = 8;
    omp_set_num_threads(1);
    const char *one = written("generated.csv", trackml, &o, 0, 600);
    omp_set_num_threads(3);
    const char *three = written("generated.csv", trackml, &o, 0, 600);
    assert_string_equal(one, three);

    /* The last 50 events alone are the end of the whole. */
    const char *part = strchr(written("generated.csv", trackml, &o, 550, 50), '\n') + 1;
    assert_true(strlen(part) < strlen(one) && strcmp(one + strlen(one) - strlen(part), part) == 0);
    o.seed = 43;
    assert_string_not_equal(strchr(written("generated.csv", trackml, &o, 550, 50), '\n') + 1, part);

    /* Stored sums. They change when the generator or a geometry does, and then everything trained on its events is of an older one. */
    o.seed = 2024;
    const uint64_t trackml_sum = fnv1a(written("generated.csv", trackml, &o, 0, 20)),
                   redvid_sum = fnv1a(written("generated.csv", redvid, &o, 0, 20));
    print_message("sums 0x%016llx 0x%016llx\n", (unsigned long long)trackml_sum, (unsigned long long)redvid_sum);
    assert_true(trackml_sum == TRACKML_SUM);
    assert_true(redvid_sum == REDVID_SUM);
}

static void file_holds_the_event(void **state)
{
    (void)state;
    ts_generate_options o = ts_generate_defaults();
    o.noise = 0.2;
    const ts_generated ev = make(trackml, &o, 7);
    const char *line = written("generated.csv", trackml, &o, 7, 1);
    static const char header[] = "event_id,hit_id,x,y,z,particle_id,weight,px,py,pz,q\n";
    assert_true(strncmp(line, header, sizeof header - 1) == 0);
    line += sizeof header - 1;
    for (int i = 0; i < ev.hits; i++, line = strchr(line, '\n') + 1) {
        long long event, hit, particle;
        double x[3], p[3];
        int weight, q, length = 0;
        assert_int_equal(sscanf(line, "%lld,%lld,%lf,%lf,%lf,%lld,%d,%lf,%lf,%lf,%d%n", &event, &hit, x, x + 1, x + 2, &particle, &weight,
                                p, p + 1, p + 2, &q, &length),
                         11);
        const int t = ev.hit[i].particle;
        static const ts_particle none;
        const ts_particle *from = t < 0 ? &none : &ev.particle[t];
        assert_true(line[length] == '\n' && event == 7 && hit == i + 1 && particle == from->id && weight == (t >= 0) && q == from->q);
        for (int k = 0; k < 3; k++)
            assert_true(fabs(x[k] - ev.hit[i].x[k]) < 0.50001e-4 && fabs(p[k] - from->p[k]) < 0.50001e-6);
    }
    assert_true(*line == 0 && ev.noise > 10);

    /* And the reader of events takes it. */
    ts_err err = {""};
    static const char json[] =
        "{\"inputs\":[{\"column\":\"x\"},{\"column\":\"y\"},{\"column\":\"z\"}],\"task\":\"regression\",\"outputs\":[\"a\"]}";
    assert_true(ts_file_write("generated.inputs.json", json, sizeof json - 1, &err));
    const ts_events *events = ts_events_load(arena, "generated.csv", ts_inputs_load(arena, "generated.inputs.json", &err), NULL, &err);
    assert_string_equal(err.msg, "");
    assert_true(events->count == 1 && events->event[0].id == 7 && events->event[0].n == ev.hits);
}

static void failures_leave_nothing_behind(void **state)
{
    (void)state;
    ts_generate_options o = ts_generate_defaults();
    ts_err err = {""};
    assert_false(ts_generate_csv(trackml, &o, 0, 1, "no/such/folder.csv", NULL, NULL, NULL, &err));
    assert_non_null(strstr(err.msg, "no/such/folder.csv: cannot write"));

    err.msg[0] = 0;
    o.efficiency = 0;
    assert_false(ts_generate_csv(trackml, &o, 0, 3, "impossible.csv", NULL, NULL, NULL, &err));
    assert_non_null(strstr(err.msg, "none of 10000 particles in a row left 3 hits"));
    assert_true(access("impossible.csv", F_OK) != 0 && access("impossible.csv.new", F_OK) != 0);

    /* A full disk, played by a limit on the size of files: the old file stays. */
    o = ts_generate_defaults();
    struct rlimit limit, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    err.msg[0] = 0;
    assert_true(ts_file_write("kept.csv", "old", 3, &err));
    small = limit;
    small.rlim_cur = 100000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    err.msg[0] = 0;
    const bool ok = ts_generate_csv(trackml, &o, 0, 300, "kept.csv", NULL, NULL, NULL, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_false(ok);
    assert_non_null(strstr(err.msg, "kept.csv: cannot write: "));
    assert_true(strcmp(slurp("kept.csv"), "old") == 0 && access("kept.csv.new", F_OK) != 0);
}

/* ---- geometries */

static void geometries_are_checked(void **state)
{
    (void)state;
#define BEGIN "{\"name\":\"n\",\"title\":\"t\",\"source\":\"s\","
#define BARREL "\"radius_mm\":[30,70],\"half_length_mm\":500,\"overlap_gap_mm\":2"
#define DISKS "\"inner_mm\":30,\"outer_mm\":170,\"overlap_gap_mm\":4"
    static const char *const bad[][2] = {
        {"{", "geometry.json:1:"},
        {"[1]", "one JSON object"},
        {"{\"name\":\"n\"}", "\"title\" must be a text"},
        {BEGIN "\"barrel\":[]}", "\"disks\" must be a list"},
        {BEGIN "\"barrel\":[],\"disks\":[]}", "no surface"},
        {BEGIN "\"barrels\":[],\"disks\":[]}", "the geometry: unknown member \"barrels\""},
        {BEGIN "\"barrel\":[7],\"disks\":[]}", "barrel[0] must be an object"},
        {BEGIN "\"barrel\":[{" BARREL "},{\"radius_mm\":[30]}],\"disks\":[]}", "barrel[1]: no \"overlap_gap_mm\""},
        {BEGIN "\"barrel\":[{" BARREL ",\"gap_mm\":1}],\"disks\":[]}", "barrel[0]: unknown member \"gap_mm\""},
        {BEGIN "\"barrel\":[{\"radius_mm\":[30,-70],\"half_length_mm\":500,\"overlap_gap_mm\":2}],\"disks\":[]}",
         "\"radius_mm\" must be a number of 1 to"},
        {BEGIN "\"barrel\":[{\"radius_mm\":[],\"half_length_mm\":500,\"overlap_gap_mm\":2}],\"disks\":[]}", "\"radius_mm\" must be a list"},
        {BEGIN "\"barrel\":[{\"radius_mm\":[30],\"half_length_mm\":0,\"overlap_gap_mm\":2}],\"disks\":[]}", "\"half_length_mm\" must be"},
        {BEGIN "\"barrel\":[{\"radius_mm\":[30],\"half_length_mm\":1e999,\"overlap_gap_mm\":2}],\"disks\":[]}", "geometry.json:1:"},
        {BEGIN "\"barrel\":[],\"disks\":[{\"z_mm\":[600]," DISKS "}]}", "\"both_ends\" must be true"},
        {BEGIN "\"barrel\":[],\"disks\":[{\"z_mm\":[0.5],\"both_ends\":false," DISKS "}]}", "\"z_mm\" must be"},
        {BEGIN "\"barrel\":[],\"disks\":[{\"z_mm\":[-600],\"both_ends\":true," DISKS "}]}", "\"z_mm\" must be"},
        {BEGIN "\"barrel\":[],\"disks\":[{\"z_mm\":[-1e6],\"both_ends\":false," DISKS "}]}", "\"z_mm\" must be"},
        {BEGIN "\"barrel\":[],\"disks\":[{\"z_mm\":[600],\"both_ends\":true,\"inner_mm\":90,\"outer_mm\":90,\"overlap_gap_mm\":4}]}",
         "below \"outer_mm\""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ts_err err = {""};
        assert_true(ts_file_write("geometry.json", bad[i][0], strlen(bad[i][0]), &err));
        assert_null(ts_geometry_find(arena, "geometry.json", &err));
        if (!strstr(err.msg, bad[i][1]))
            fail_msg("expected '%s' in: %s", bad[i][1], err.msg);
    }
    ts_err err = {""};
    static const char good[] = BEGIN "\"barrel\":[{\"name\":\"b\"," BARREL "}],\"disks\":[{\"z_mm\":[600],\"both_ends\":true," DISKS "},"
                                     "{\"z_mm\":[-700,800],\"both_ends\":false," DISKS "}]}";
    assert_true(ts_file_write("geometry.json", good, sizeof good - 1, &err));
    const ts_geometry *g = ts_geometry_find(arena, "geometry.json", &err);
    assert_string_equal(err.msg, "");
    static const double at[] = {30, 70, 600, -600, -700, 800};
    assert_int_equal(g->count, 6);
    for (int i = 0; i < 6; i++)
        assert_true(g->surface[i].at == at[i] && g->surface[i].barrel == (i < 2) && g->surface[i].gap == (i < 2 ? 2 : 4));
    assert_true(g->surface[0].lo == -500 && g->surface[0].hi == 500 && g->surface[5].lo == 30 && g->surface[5].hi == 170);

    assert_null(ts_geometry_find(arena, "atlas", &err));
    assert_non_null(strstr(err.msg, "unknown geometry \"atlas\"; known are redvid-like, trackml-like;"));
    err.msg[0] = 0;
    assert_null(ts_geometry_find(arena, "./no-such-geometry", &err));
    assert_non_null(strstr(err.msg, "no-such-geometry: cannot read"));
    assert_true(trackml->count == 10 + 2 * 19 && redvid->count == 10 + 2 * 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(helices_cross_where_the_equation_of_motion_says),
        cmocka_unit_test(hits_lie_on_surfaces),
        cmocka_unit_test(events_are_as_promised),
        cmocka_unit_test(thousand_tracks),
        cmocka_unit_test(smearing_has_its_width),
        cmocka_unit_test(rates_are_as_asked),
        cmocka_unit_test(spectra_are_as_stated),
        cmocka_unit_test(file_does_not_depend_on_threads_or_machine),
        cmocka_unit_test(file_holds_the_event),
        cmocka_unit_test(failures_leave_nothing_behind),
        cmocka_unit_test(geometries_are_checked),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
