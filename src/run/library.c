#include "run/library.h"

#include <dlfcn.h>
#include <string.h>

static bool find(void *handle, const char *name, void *function, tessera_error *error)
{
    void *symbol = dlsym(handle, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol || ts_run_fail(error, TESSERA_NO_TOOL, "libtessera has no %s: it is older than this library (%s)", name, TESSERA_VERSION);
}

bool ts_run_library_open(const tessera_run_open_options *o, ts_run_library *l, tessera_error *error)
{
    memset(l, 0, sizeof *l);
    if (o->linked) {
        if (o->linked->size < sizeof l->call)
            return ts_run_fail(error, TESSERA_USAGE, "linked: its size is not set, TESSERA_RUN_LINKED does");
        memcpy(&l->call, o->linked, sizeof l->call);
        return true;
    }
    const char *name = o->compiler ? o->compiler : "libtessera.so.0";
    l->handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!l->handle)
        return ts_run_fail(error, TESSERA_NO_TOOL, "emulator and assisted designs need libtessera: %s (compiler, linked)", dlerror());
    if (find(l->handle, "tessera_engine_open", &l->call.engine_open, error) &&
        find(l->handle, "tessera_engine_free", &l->call.engine_free, error) &&
        find(l->handle, "tessera_engine_run_words", &l->call.run_words, error) &&
        find(l->handle, "tessera_engine_front", &l->call.front, error) && find(l->handle, "tessera_engine_back", &l->call.back, error))
        return true;
    ts_run_library_close(l);
    return false;
}

void ts_run_library_close(ts_run_library *l)
{
    if (l->handle)
        dlclose(l->handle);
    memset(l, 0, sizeof *l);
}

bool ts_run_engine_open(const ts_run_library *l, const char *directory, const char *weights, tessera_engine **engine, tessera_error *error)
{
    tessera_engine_options o = TESSERA_INIT(tessera_engine_options);
    o.kind = TESSERA_INTEGER;
    o.path = directory;
    o.standardised = true;
    o.weights = weights;
    return l->call.engine_open(&o, NULL, engine, error) == TESSERA_OK;
}
