#define TS_FAIL_CODE TS_NO_TOOL
#include "sim/build.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/boundary.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/plain.h"
#include "design/outdir.h"
#include "emit/sim_top.h"
#include "process/process.h"
#include "sim/unity.h"

enum { MAX_ARGS = 128, LOG_CHARS = 700 };

/* -O1 of the C++ compiler is the compromise: a ring of 1,942 multipliers is built in 17 s of Verilator and 130 s of g++ (over all
   processors) and runs 7,500 cycles a second. unity.c puts the files together again as the processors want them. */
static const char *const verilator_flags[] = {"--cc", "--exe",      "--prefix",   "Vring",          "--language", "1364-2005",
                                              "-O3",  "-Wno-fatal", "--noassert", "--output-split", "20000",      "--output-split-cfuncs",
                                              "2000", "--x-assign", "unique",     "--x-initial",    "unique",     NULL};
static const char *const make_flags[] = {"OPT_FAST=-O1", "OPT_SLOW=-O0", "OPT_GLOBAL=-O1", NULL};

static uint64_t hash_list(uint64_t h, const char *const *list)
{
    for (; *list; list++)
        h = ts_hash(h, *list, strlen(*list) + 1);
    return h;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The Verilog of a design in a fixed order; NULL ends the list. */
static const char **verilog_files(ts_arena *arena, const char *dir, ts_err *err)
{
    const char *path = ts_printf(arena, "%s/rtl", dir);
    DIR *d = ts_opendir(path);
    if (!d) {
        ts_fail_as(err, ts_code_of_read(errno), "%s: %s", path, strerror(errno));
        return NULL;
    }
    int count = 0;
    while (readdir(d))
        count++;
    rewinddir(d);
    const char **list = TS_NEW_N(arena, const char *, count + 1);
    int used = 0;
    for (const struct dirent *e; used < count && (e = readdir(d));) {
        const size_t n = strlen(e->d_name);
        if (n > 2 && strcmp(e->d_name + n - 2, ".v") == 0)
            list[used++] = ts_printf(arena, "%s/%s", path, e->d_name);
    }
    ts_closedir(d);
    qsort(list, (size_t)used, sizeof *list, by_name);
    return list;
}

static bool hash_file(ts_arena *arena, uint64_t *h, const char *path, ts_err *err)
{
    size_t size;
    const char *text = ts_file_read(arena, path, &size, err);
    if (!text)
        return false;
    const char *name = strrchr(path, '/'); /* the design may move */
    *h = ts_hash(ts_hash(*h, name, strlen(name)), text, size + 1);
    return true;
}

static bool hash_verilog(ts_arena *arena, uint64_t *h, const char *dir, ts_err *err)
{
    const char **files = verilog_files(arena, dir, err);
    for (const char *const *f = files; f && *f; f++)
        if (!hash_file(arena, h, *f, err))
            return false;
    return files != NULL;
}

/* Which signals a build with traces shows: Verilator optimises nothing else away for them. */
static const char *visible_signals(ts_arena *arena, const ts_design *design)
{
    static const char *const parts[] = {"valid", "ready", "data", "tag"};
    const ts_ring *ring = design->part[0].built;
    const char *text = "`verilator_config\n";
    for (int s = 0; s < ring->taps; s++)
        for (int p = 0; p < 4 && ring->tap[s].first == 0; p++)
            text = ts_printf(arena, "%spublic_flat_rd -module \"%s\" -var \"%s_%s\"\n", text, design->top, ring->tap[s].wire, parts[p]);
    return text;
}

/* Builds of other sources are of no use any more. */
static void remove_stale(ts_arena *arena, const char *cache, const char *hash)
{
    DIR *d = ts_opendir(cache);
    for (const struct dirent *e; d && (e = readdir(d));)
        if (strncmp(e->d_name, "sim-", 4) == 0 && strncmp(e->d_name + 4, hash, strlen(hash)) != 0)
            (void)ts_remove_tree(ts_printf(arena, "%s/%s", cache, e->d_name));
    if (d)
        ts_closedir(d);
}

static void append(const char **argv, int *argc, const char *const *list)
{
    for (; *list; list++) {
        CHECK(*argc < MAX_ARGS - 1);
        argv[(*argc)++] = *list;
    }
}

static bool run_tool(ts_arena *arena, const char *dir, const char *const *argv, const char *log, ts_err *err)
{
    const int status = ts_process_run(dir, argv, log, err);
    if (status < 0)
        return false;
    if (status != 0)
        return ts_fail(err, "%s failed with status %d while building the simulator; the end of %s:\n%s", argv[0], status, log,
                       ts_process_log_tail(arena, log, LOG_CHARS));
    return true;
}

/* Paths of the design as Verilator, make and compilers see them: through a link in the directory that they work in. Make cuts words at
   spaces, Verilator expands $NAME, and both hand names to a shell: a design may lie anywhere, a build only where the path is plain. The
   same paths for every design also let a compiler cache know the same code again. */
#define LINK "d"

/* A new directory whose path is plain: below the cache, or, where that is not, in the system's place for temporary files. */
static const char *make_work(ts_arena *arena, const char *root, const char *cache, ts_err *err)
{
    const char *const places[] = {cache, getenv("TMPDIR"), "/tmp"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char *place = places[i] ? realpath(places[i], NULL) : NULL, *work = NULL;
        if (place && ts_path_is_plain(place))
            work = mkdtemp(ts_printf(arena, "%s/tessera-build-XXXXXX", place));
        ts_free(place);
        if (!work)
            continue;
        if (symlink(root, ts_printf(arena, "%s/" LINK, work)) == 0)
            return work;
        (void)rmdir(work);
    }
    ts_fail_as(
        err, TS_NOT_WRITTEN,
        "no place to build a simulator in: %s has characters that make or Verilator take for something else (only letters, digits and "
        "._-/ are safe), and "
        "nothing can be made in TMPDIR or /tmp",
        cache);
    return NULL;
}

/* Puts the program where it is looked for, whole: the directory it was built in may be on another disk. */
static bool install(ts_arena *arena, const char *from, const char *to, ts_err *err)
{
    if (rename(from, to) == 0)
        return true;
    const char *near = ts_printf(arena, "%s-new-%ld", to, (long)getpid());
    struct stat st;
    size_t size;
    const char *program = ts_file_read(arena, from, &size, err);
    const bool ok = program && stat(from, &st) == 0 && ts_file_write(near, program, size, err) && chmod(near, st.st_mode & 0777) == 0 &&
                    rename(near, to) == 0;
    if (!ok) {
        ts_fail_as(err, ts_code_of_write(errno), "%s: cannot be put in place: %s", to, strerror(errno));
        (void)remove(near);
    }
    return ok;
}

/* Verilator and make in `work`. */
static bool build(ts_arena *arena, const ts_design *design, const ts_sim_options *opt, const char *work, const char *log,
                  const char *program, ts_err *err)
{
    const char *argv[MAX_ARGS] = {"verilator"};
    int argc = 1;
    append(argv, &argc, verilator_flags);
    const bool paged = ts_system_is_paged(&design->system);
    const char *top = paged ? TS_SIM_TOP : design->top;
    const char *place[] = {"--top-module",
                           top,
                           "-y",
                           LINK "/rtl",
                           "-y",
                           LINK "/tb",
                           "--Mdir",
                           ".",
                           "-CFLAGS",
                           opt->tap ? "-I" LINK "/tb -DRING_TRACE" : "-I" LINK "/tb",
                           NULL};
    append(argv, &argc, place);
    for (int p = 0; design->parts > 1 && p < design->parts; p++)
        append(argv, &argc, (const char *const[]){"-y", ts_printf(arena, LINK "/%s/rtl", strrchr(design->part[p].dir, '/') + 1), NULL});
    if (opt->tap) {
        const char *signals = visible_signals(arena, design);
        if (!ts_file_write(ts_printf(arena, "%s/trace.vlt", work), signals, strlen(signals), err))
            return false;
        append(argv, &argc, (const char *const[]){"trace.vlt", NULL});
    }
    append(argv, &argc, (const char *const[]){ts_printf(arena, LINK "/%s/%s.v", paged ? "tb" : "rtl", top), LINK "/tb/sim.cpp", NULL});
    if (!run_tool(arena, work, argv, log, err))
        return false;
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    const int processors = opt->jobs > 0 ? opt->jobs : online > 0 ? (int)online : 1;
    const char *const *files = ts_unity_write(arena, work, processors, err);
    if (!files)
        return false;
    const char *make[MAX_ARGS] = {"make", ts_printf(arena, "-j%d", processors), "-f", "Vring.mk"};
    int makec = 4;
    append(make, &makec, make_flags);
    append(make, &makec, files);
    return run_tool(arena, work, make, log, err) && install(arena, ts_printf(arena, "%s/Vring", work), program, err);
}

const char *ts_sim_build(ts_arena *arena, const ts_design *design, const ts_sim_options *opt, bool *rebuilt, ts_err *err)
{
    char *root = realpath(design->dir, NULL);
    if (!root) {
        ts_fail_as(err, ts_code_of_read(errno), "%s: %s", design->dir, strerror(errno));
        return NULL;
    }
    const char *dir = ts_strdup(arena, root);
    ts_free(root);

    uint64_t h = TS_HASH;
    if (!hash_verilog(arena, &h, design->dir, err))
        return NULL;
    for (int p = 0; design->parts > 1 && p < design->parts; p++)
        if (!hash_verilog(arena, &h, design->part[p].dir, err))
            return NULL;
    const bool paged = ts_system_is_paged(&design->system);
    const char *const bench[] = {"sim.cpp", "ring.h", design->parts > 1 ? "ts_sim_wire.v" : NULL, paged ? TS_SIM_TOP ".v" : NULL,
                                 paged ? "ts_sim_memory.v" : NULL};
    for (size_t i = 0; i < sizeof bench / sizeof *bench; i++)
        if (bench[i] && !hash_file(arena, &h, ts_printf(arena, "%s/tb/%s", design->dir, bench[i]), err))
            return NULL;
    h = hash_list(hash_list(h, verilator_flags), make_flags);
    const char *hash = ts_printf(arena, "%016" PRIx64, h), *cache = ts_printf(arena, "%s/sim", dir);
    const char *program = ts_printf(arena, "%s/sim-%s%s", cache, hash, opt->tap ? "-trace" : "");
    *rebuilt = access(program, X_OK) != 0;
    if (!*rebuilt)
        return program;

    const char *log = ts_printf(arena, "%s/build.log", cache);
    const char *work = ts_outdir_make(cache, err) ? make_work(arena, dir, cache, err) : NULL;
    if (!work)
        return NULL;
    (void)remove(log);
    remove_stale(arena, cache, hash);
    const bool ok = build(arena, design, opt, work, log, program, err);
    (void)ts_remove_tree(work);
    return ok ? program : NULL;
}
