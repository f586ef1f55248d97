/* Exported C, compiled into a shared library and loaded, for tests. */
#ifndef TS_EXPORTED_H
#define TS_EXPORTED_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <string.h>

#include "emu/emu.h"
#include "export/export.h"
#include "process/process.h"

/* The calls of one. */
typedef struct exported {
    int (*run_words)(const int32_t *words, int count, int32_t *results, void *workspace);
    int (*run)(const double *hits, int count, double *results, void *workspace);
    int (*words_of_standardised)(const float *values, int count, int32_t *words);
    void (*reals_of)(const int32_t *results, int rows, double *reals);
    int (*class_of)(const int32_t *result); /* of a classifier; otherwise NULL */
    size_t bytes;                           /* of a workspace */
} exported;

static inline void *exported_symbol(void *library, const char *name, const char *what)
{
    char text[100];
    snprintf(text, sizeof text, "%s_%s", name, what);
    return dlsym(library, text);
}

/* dir/NAME.c becomes dir/NAME.so, warnings are errors, undefined behaviour traps. */
static inline void exported_build(ts_arena *arena, const char *dir, const char *name, const char *compiler, const char *standard,
                                  const char *more)
{
    ts_err err = {""};
    const char *const command[] = {compiler,
                                   standard,
                                   "-x",
                                   strstr(standard, "c++") ? "c++" : "c",
                                   "-O1",
                                   "-Wall",
                                   "-Wextra",
                                   "-Wpedantic",
                                   "-Wconversion",
                                   "-Wsign-conversion",
                                   "-Werror",
                                   "-fsanitize=undefined",
                                   "-fsanitize-undefined-trap-on-error",
                                   "-fPIC",
                                   "-shared",
                                   more,
                                   ts_printf(arena, "%s.c", name),
                                   "-o",
                                   ts_printf(arena, "%s.so", name),
                                   NULL};
    const char *log = ts_printf(arena, "%s/%s.log", dir, name);
    if (ts_process_run(dir, command, log, &err) != 0)
        fail_msg("%s of %s: %s%s", compiler, name, err.msg, ts_process_log_tail(arena, log, 2000));
}

/* The library, to be closed by dlclose. */
static inline void *exported_open(const char *path, const char *name, exported *e)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    size_t (*bytes)(void);
    if (!library)
        fail_msg("%s", dlerror());
    *(void **)&e->run_words = exported_symbol(library, name, "run_words");
    *(void **)&e->run = exported_symbol(library, name, "run");
    *(void **)&e->words_of_standardised = exported_symbol(library, name, "words_of_standardised");
    *(void **)&e->reals_of = exported_symbol(library, name, "reals_of");
    *(void **)&e->class_of = exported_symbol(library, name, "class");
    *(void **)&bytes = exported_symbol(library, name, "workspace_bytes");
    assert_true(e->run_words && e->run && e->words_of_standardised && e->reals_of && bytes);
    e->bytes = bytes();
    return library;
}

/* The model's exported C, made below `dir`, gives the emulator's words, which are those of the hardware, and refuses what that refuses. */
static inline void exported_check(ts_arena *arena, const char *dir, const ts_imodel *im, int max_hits, int events, const int *n,
                                  const int32_t *const *x)
{
    ts_err err = {""};
    ts_exported made;
    exported e;
    const ts_export_model model = {.im = im, .max_hits = max_hits};
    const char *to = ts_printf(arena, "%s/exported", dir);
    if (!ts_export(arena, &model, &(ts_export_options){.name = "model"}, to, &made, &err))
        fail_msg("%s", err.msg);
    exported_build(arena, to, "model", "gcc", "-std=c99", "-g0");
    void *library = exported_open(ts_printf(arena, "%s/model.so", to), "model", &e), *workspace = ts_alloc(arena, e.bytes, 1);
    const ts_emu *emu = ts_emu_new(arena, im, TS_EMU_AUTO);
    for (int i = 0; i < events; i++) {
        const size_t words = (size_t)n[i] * (size_t)im->outputs;
        int32_t *want = TS_NEW_N(arena, int32_t, words), *got = TS_NEW_N(arena, int32_t, words);
        assert_int_equal(e.run_words(x[i], n[i], got, workspace), n[i] > max_hits ? -2 : 0);
        if (n[i] <= max_hits)
            ts_emu_run(emu, n[i], x[i], want, NULL, NULL);
        assert_memory_equal(got, want, words * sizeof *got);
    }
    dlclose(library);
}

#endif
