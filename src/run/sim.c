/* Back end "sim": the package's devices, simulated through their AXI ports, in a library that `make sim-library` builds in the package.
   Arguments: stalls=PERCENT, seed=N, bus=PICOSECONDS, engine=PICOSECONDS, engine_stops=NANOSECONDS and taker_stops=WORDS (hangs, for trying
   what follows); NAME=N of any other name goes to the simulation as +NAME=N. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/backend.h"
#include "run/file.h"

enum { VERSION = 1, CYCLES = 200 /* of a bus clock in one go, so that others have their turn */, ACCESS = 20000 /* cycles of an access */ };

/* As tb/sim_library.cpp has them. */
typedef struct sim_options {
    int stalls;
    unsigned seed, bus_ps, engine_ps;
    long long engine_stops, taker_stops;
} sim_options;

typedef struct sim_calls {
    int (*version)(void);
    int (*devices)(void);
    void *(*open)(const char *directory, const sim_options *options, const char *plus_arguments);
    void (*close)(void *sim);
    int (*access)(void *sim, int device, int write, unsigned address, unsigned *value, long long cycles);
    int (*send)(void *sim, const uint8_t *event, size_t size);
    int (*take)(void *sim, uint8_t *to, size_t room, size_t *size, unsigned *flags);
    int (*run)(void *sim, long long cycles);
    void (*restart)(void *sim);
    unsigned long long (*pages)(int device, int loader);
} sim_calls;

/* All devices are one simulation, which one thread at a time steps. */
typedef struct simulated_system {
    pthread_mutex_t lock;
    void *library, *sim;
    sim_calls call;
    bool ended; /* a model has ended it */
    int users, restarts;
} simulated_system;

typedef struct simulated {
    ts_run_device device;
    simulated_system *system;
    int restarts;
    bool placed[TS_RUN_LOADERS]; /* pages, and which ones */
    uint32_t sum[TS_RUN_LOADERS];
} simulated;

static simulated_system *begin(ts_run_device *d)
{
    simulated_system *s = ((simulated *)d)->system;
    pthread_mutex_lock(&s->lock);
    return s;
}

static bool end_access(simulated_system *s, int result, tessera_error *error)
{
    s->ended = s->ended || result == 3;
    pthread_mutex_unlock(&s->lock);
    if (result == 1)
        return ts_run_fail(error, TESSERA_NO_DEVICE, "SLVERR: there is no such register, or the engine clock stands still");
    if (result == 2)
        return ts_run_fail(error, TESSERA_TIMED_OUT, "no answer in %d cycles of the bus clock", ACCESS);
    return result == 0 || ts_run_fail(error, TESSERA_NO_DEVICE, "the simulation has ended itself, and has printed why");
}

static bool read_register(ts_run_device *d, uint32_t address, uint32_t *value, tessera_error *error)
{
    simulated_system *s = begin(d);
    unsigned got = 0;
    const int result = s->ended ? 3 : s->call.access(s->sim, d->number, 0, address, &got, ACCESS);
    *value = got;
    return end_access(s, result, error);
}

static bool write_register(ts_run_device *d, uint32_t address, uint32_t value, tessera_error *error)
{
    simulated_system *s = begin(d);
    unsigned given = value;
    return end_access(s, s->ended ? 3 : s->call.access(s->sim, d->number, 1, address, &given, ACCESS), error);
}

static ts_run_move broken(simulated_system *s, tessera_error *error)
{
    pthread_mutex_unlock(&s->lock);
    ts_run_fail(error, TESSERA_NO_DEVICE, "the simulation has ended itself, and has printed why");
    return TS_RUN_BROKEN;
}

static ts_run_move send(ts_run_device *d, const uint8_t *bytes, size_t size, tessera_error *error)
{
    simulated_system *s = begin(d);
    if (s->ended)
        return broken(s, error);
    const bool moved = s->call.send(s->sim, bytes, size) == 1;
    pthread_mutex_unlock(&s->lock);
    return moved ? TS_RUN_MOVED : TS_RUN_BUSY;
}

static ts_run_move take(ts_run_device *d, uint8_t *bytes, size_t room, size_t *size, unsigned *flags, tessera_error *error)
{
    simulated_system *s = begin(d);
    if (s->ended)
        return broken(s, error);
    const int result = s->call.take(s->sim, bytes, room, size, flags);
    pthread_mutex_unlock(&s->lock);
    if (result >= 0)
        return result ? TS_RUN_MOVED : TS_RUN_BUSY;
    ts_run_fail(error, TESSERA_NO_DEVICE, "an event has more than %zu bytes of results, which no event has", room);
    return TS_RUN_BROKEN;
}

static void wait_for(ts_run_device *d, double seconds)
{
    const int64_t end = ts_run_now() + (int64_t)(seconds * 1e9);
    int result = 0;
    do {
        simulated_system *s = begin(d);
        result = s->ended ? -1 : s->call.run(s->sim, CYCLES);
        s->ended = result < 0;
        pthread_mutex_unlock(&s->lock);
    } while (result == 0 && ts_run_now() < end);
}

static uint32_t sum_of(const uint8_t *data, size_t size) /* FNV-1a */
{
    uint32_t h = 2166136261U;
    for (size_t i = 0; i < size; i++)
        h = (h ^ data[i]) * 16777619U;
    return h;
}

static bool place(ts_run_device *d, int loader, const uint8_t *image, size_t size, size_t alignment, uint64_t *address,
                  tessera_error *error)
{
    simulated *own = (simulated *)d;
    const uint32_t sum = sum_of(image, size);
    if (own->placed[loader] && own->sum[loader] != sum)
        return ts_run_fail(error, TESSERA_UNSUPPORTED, "the model of external memory holds the package's pages, and no others");
    own->placed[loader] = true;
    own->sum[loader] = sum;
    *address = own->system->call.pages(d->number, loader); /* the model has read the same file */
    return true;
}

/* Of all devices together: the first that is asked does it. */
static bool restart(ts_run_device *d, tessera_error *error)
{
    simulated_system *s = begin(d);
    simulated *own = (simulated *)d;
    const bool ended = s->ended;
    if (own->restarts == s->restarts && !ended) {
        s->call.restart(s->sim);
        s->restarts++;
    }
    own->restarts = s->restarts;
    pthread_mutex_unlock(&s->lock);
    return !ended || ts_run_fail(error, TESSERA_NO_DEVICE, "the simulation has ended itself: open it again");
}

static void release(simulated_system *s)
{
    if (--s->users > 0)
        return;
    if (s->sim)
        s->call.close(s->sim);
    if (s->library)
        dlclose(s->library);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static void close_device(ts_run_device *d)
{
    release(((simulated *)d)->system);
    free(d);
}

static const ts_run_device_kind kind = {"sim", read_register, write_register, send, take, wait_for, place, restart, NULL, close_device};

/* ---- Opening */

static bool find(simulated_system *s, const char *path, tessera_error *error)
{
    const struct {
        const char *name;
        void *function;
    } all[] = {{"version", &s->call.version}, {"devices", &s->call.devices}, {"open", &s->call.open}, {"close", &s->call.close},
               {"access", &s->call.access},   {"send", &s->call.send},       {"take", &s->call.take}, {"run", &s->call.run},
               {"restart", &s->call.restart}, {"pages", &s->call.pages}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char name[64];
        snprintf(name, sizeof name, "tessera_sim_%s", all[i].name);
        void *symbol = dlsym(s->library, name);
        if (!symbol)
            return ts_run_fail(error, TESSERA_DAMAGED, "%s has no %s: build it again", path, name);
        memcpy(all[i].function, &symbol, sizeof symbol);
    }
    return true;
}

static bool parse(const char *arguments, sim_options *o, char *plus, size_t room, tessera_error *error)
{
    const struct {
        const char *key;
        long long most;
        int *small;
        unsigned *natural;
        long long *wide;
    } known[] = {{"stalls", 99, &o->stalls, NULL, NULL},
                 {"seed", 1 << 30, NULL, &o->seed, NULL},
                 {"bus", 1 << 30, NULL, &o->bus_ps, NULL},
                 {"engine", 1 << 30, NULL, &o->engine_ps, NULL},
                 {"engine_stops", 1LL << 50, NULL, NULL, &o->engine_stops},
                 {"taker_stops", 1LL << 50, NULL, NULL, &o->taker_stops}};
    enum { KNOWN = sizeof known / sizeof *known };
    char key[64], value[64];
    size_t used = 0;
    while (ts_run_argument(&arguments, key, value, sizeof key)) {
        char *end;
        const long long number = strtoll(value, &end, 0);
        size_t i = 0;
        while (i < KNOWN && strcmp(known[i].key, key) != 0)
            i++;
        if (i == KNOWN) {
            used += (size_t)snprintf(plus + used, room - used, "+%s=%s ", key, value);
            if (used >= room)
                return ts_run_fail(error, TESSERA_USAGE, "backend: sim has too many arguments");
            continue;
        }
        if (end == value || *end || number < 0 || number > known[i].most)
            return ts_run_fail(error, TESSERA_USAGE, "backend: sim: %s is 0 to %lld, not \"%s\"", key, known[i].most, value);
        if (known[i].small)
            *known[i].small = (int)number;
        else if (known[i].natural)
            *known[i].natural = (unsigned)number;
        else
            *known[i].wide = number;
    }
    return true;
}

static bool open_library(const ts_run_opening *o, simulated_system *s, tessera_error *error)
{
    sim_options options = {0};
    char plus[512] = "";
    char *path = ts_run_path(o->package->dir, "sim/libtessera_sim.so", error);
    bool ok = path && parse(o->arguments, &options, plus, sizeof plus, error);
    char *real = ok ? realpath(path, NULL) : NULL; /* a name without a slash would be looked for elsewhere */
    if (ok && !real)
        ok = ts_run_fail(error, TESSERA_NO_FILE, "%s: %s: build it: make -C %s -f tb/sim_library.mk", path, strerror(errno),
                         o->package->dir);
    if (ok && !(s->library = dlopen(real, RTLD_NOW | RTLD_LOCAL)))
        ok = ts_run_fail(error, TESSERA_DAMAGED, "%s", dlerror());
    ok = ok && find(s, path, error);
    if (ok && (s->call.version() != VERSION || s->call.devices() != o->package->devices))
        ok = ts_run_fail(error, TESSERA_DAMAGED, "%s is of another version, or of other devices: build it again", path);
    if (ok && !(s->sim = s->call.open(o->package->dir, &options, plus)))
        ok = ts_run_fail(error, TESSERA_FAILED, "%s: the simulation cannot go to its directory", o->package->dir);
    free(real);
    free(path);
    return ok;
}

bool ts_run_open_sim(const ts_run_opening *o, int first, int count, ts_run_device **devices, tessera_error *error)
{
    simulated_system *s = calloc(1, sizeof *s);
    if (!s)
        return ts_run_fail_memory(error, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    s->users = 1; /* this function */
    bool ok = open_library(o, s, error);
    for (int i = 0; ok && i < count; i++) {
        simulated *d = calloc(1, sizeof *d);
        ok = d || ts_run_fail_memory(error, sizeof *d);
        if (!ok)
            break;
        d->system = s;
        s->users++;
        ts_run_device_begin(&d->device, &kind, o, first + i);
        devices[i] = &d->device;
    }
    release(s);
    return ok;
}
