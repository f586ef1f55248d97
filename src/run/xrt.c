/* Back end "xrt": a card below Xilinx's runtime, by its C interface. A package for Vitis has three kernels: hits_in and results_out move
   events between the card's memory and the streams of the engine, whose registers are those of a user-managed kernel. Arguments: CARD, a
   number, then, where wanted, xclbin=FILE (the package's vitis/TOP.xclbin) and library=FILE (libxrt_coreutil.so.2), which is opened when
   the back end is: this library does not need it otherwise. Built where XRT's headers are (Debian: libxrt-dev). */
#include "run/backend.h"

#ifdef TS_RUN_XRT

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_kernel.h>

#include "run/format.h"

enum {
    NAME = 512,
    PAGE = 4096,
    STATE_DONE = 4 /* ERT_CMD_STATE_COMPLETED */,
    STATE_ERRORS = 5 /* and above, but for: */,
    STATE_SUBMITTED = 7
};
enum { PAGES_ARGUMENT = 2 /* of the engine: behind its two streams */ };

#define CALLS(X) \
    X(DeviceOpen) \
    X(DeviceClose) \
    X(DeviceLoadXclbinFile) \
    X(DeviceGetXclbinUUID) \
    X(PLKernelOpen) \
    X(PLKernelOpenExclusive) \
    X(KernelClose) \
    X(KernelArgGroupId) \
    X(KernelReadRegister) \
    X(KernelWriteRegister) \
    X(RunOpen) \
    X(RunSetArg) \
    X(RunStart) \
    X(RunState) \
    X(RunWaitFor) \
    X(RunClose) \
    X(BOAlloc) \
    X(BOFree) \
    X(BOMap) \
    X(BOSync) \
    X(BOAddress)

typedef struct calls {
#define X(name) __typeof__(xrt##name) *name;
    CALLS(X)
#undef X
} calls;

/* A kernel that moves events: memory, lengths, how many events, words of each. */
typedef struct mover {
    xrtKernelHandle kernel;
    xrtRunHandle run;
    xrtBufferHandle memory, lengths;
    uint8_t *bytes;
    uint32_t *length;
    size_t room;
    bool going;
} mover;

typedef struct card {
    ts_run_device device;
    calls call;
    void *library;
    xrtDeviceHandle handle;
    xrtKernelHandle engine;
    xrtBufferHandle pages[TS_RUN_LOADERS];
    mover hits, results;
    size_t word;     /* bytes of the streams */
    atomic_int owed; /* events that were sent, and for whose results results_out was not started */
} card;

static bool read_register(ts_run_device *d, uint32_t address, uint32_t *value, tessera_error *error)
{
    const card *c = (const card *)d;
    const int result = c->call.KernelReadRegister(c->engine, address, value);
    return result == 0 || ts_run_fail(error, TESSERA_NO_DEVICE, "xrtKernelReadRegister gives %d", result);
}

static bool write_register(ts_run_device *d, uint32_t address, uint32_t value, tessera_error *error)
{
    const card *c = (const card *)d;
    const int result = c->call.KernelWriteRegister(c->engine, address, value);
    return result == 0 || ts_run_fail(error, TESSERA_NO_DEVICE, "xrtKernelWriteRegister gives %d", result);
}

/* ---- Events */

/* Whether it is there to be started; TS_RUN_BROKEN where what was started has failed. */
static ts_run_move finished(const card *c, mover *m, const char *name, tessera_error *error)
{
    if (!m->going)
        return TS_RUN_MOVED;
    const int state = (int)c->call.RunState(m->run);
    if (state == STATE_DONE) {
        m->going = false;
        return TS_RUN_MOVED;
    }
    if (state < STATE_ERRORS || state == STATE_SUBMITTED)
        return TS_RUN_BUSY;
    ts_run_fail(error, TESSERA_NO_DEVICE, "kernel %s ends in state %d", name, state);
    return TS_RUN_BROKEN;
}

static bool sync_buffer(const card *c, xrtBufferHandle buffer, bool to, size_t size, tessera_error *error)
{
    const int result = c->call.BOSync(buffer, to ? XCL_BO_SYNC_BO_TO_DEVICE : XCL_BO_SYNC_BO_FROM_DEVICE, size, 0);
    return result == 0 || ts_run_fail(error, TESSERA_NO_DEVICE, "xrtBOSync of %zu bytes gives %d", size, result);
}

static bool start(const card *c, mover *m, const char *name, tessera_error *error)
{
    const unsigned events = 1, stride = (unsigned)(m->room / c->word);
    if (c->call.RunSetArg(m->run, 0, m->memory) != 0 || c->call.RunSetArg(m->run, 1, m->lengths) != 0 ||
        c->call.RunSetArg(m->run, 2, events) != 0 || c->call.RunSetArg(m->run, 3, stride) != 0)
        return ts_run_fail(error, TESSERA_NO_DEVICE, "kernel %s does not take its arguments: it is of another package", name);
    const int result = c->call.RunStart(m->run);
    if (result != 0)
        return ts_run_fail(error, TESSERA_NO_DEVICE, "kernel %s: xrtRunStart gives %d", name, result);
    m->going = true;
    return true;
}

static ts_run_move send(ts_run_device *d, const uint8_t *bytes, size_t size, tessera_error *error)
{
    card *c = (card *)d;
    const ts_run_move free_now = finished(c, &c->hits, "hits_in", error);
    if (free_now != TS_RUN_MOVED)
        return free_now;
    memcpy(c->hits.bytes, bytes, size);
    *c->hits.length = (uint32_t)size;
    if (!sync_buffer(c, c->hits.memory, true, size, error) || !sync_buffer(c, c->hits.lengths, true, sizeof *c->hits.length, error) ||
        !start(c, &c->hits, "hits_in", error))
        return TS_RUN_BROKEN;
    atomic_fetch_add(&c->owed, 1);
    return TS_RUN_MOVED;
}

/* results_out waits for an event in the card: it is started only where one will come, so that it does not stay behind. */
static ts_run_move take(ts_run_device *d, uint8_t *bytes, size_t room, size_t *size, unsigned *flags, tessera_error *error)
{
    card *c = (card *)d;
    mover *m = &c->results;
    if (!m->going) {
        if (atomic_load(&c->owed) == 0)
            return TS_RUN_BUSY;
        atomic_fetch_sub(&c->owed, 1);
        if (!start(c, m, "results_out", error))
            return TS_RUN_BROKEN;
    }
    const ts_run_move done = finished(c, m, "results_out", error);
    if (done != TS_RUN_MOVED)
        return done;
    if (!sync_buffer(c, m->lengths, false, sizeof *m->length, error))
        return TS_RUN_BROKEN;
    *size = (size_t)*m->length * c->word;
    *flags = 0;
    if (*size > room || *size > m->room) {
        ts_run_fail(error, TESSERA_NO_DEVICE, "kernel results_out says %u words, more than an event has", *m->length);
        return TS_RUN_BROKEN;
    }
    if (!sync_buffer(c, m->memory, false, *size, error))
        return TS_RUN_BROKEN;
    memcpy(bytes, m->bytes, *size);
    return TS_RUN_MOVED;
}

static void wait_for(ts_run_device *d, double seconds)
{
    card *c = (card *)d;
    if (c->results.going && seconds >= 1e-3)
        c->call.RunWaitFor(c->results.run, (unsigned)(seconds * 1e3));
    else
        ts_run_pause(seconds < 20e-6 ? seconds : 20e-6);
}

static bool place(ts_run_device *d, int loader, const uint8_t *image, size_t size, size_t alignment, uint64_t *address,
                  tessera_error *error)
{
    card *c = (card *)d;
    const int group = c->call.KernelArgGroupId(c->engine, PAGES_ARGUMENT + loader);
    xrtBufferHandle *pages = &c->pages[loader];
    if (*pages)
        c->call.BOFree(*pages);
    *pages = group < 0 ? NULL : c->call.BOAlloc(c->handle, (size + PAGE - 1) / PAGE * PAGE, 0, (xrtMemoryGroup)group);
    void *at = *pages ? c->call.BOMap(*pages) : NULL;
    if (!at)
        return ts_run_fail(error, TESSERA_NO_DEVICE, "%zu bytes of the card's memory (bank %d) for pages are not there", size, group);
    memcpy(at, image, size);
    *address = c->call.BOAddress(*pages);
    return sync_buffer(c, *pages, true, size, error);
}

/* ---- Opening and closing */

static void close_mover(const card *c, const mover *m)
{
    if (m->run)
        c->call.RunClose(m->run);
    if (m->memory)
        c->call.BOFree(m->memory);
    if (m->lengths)
        c->call.BOFree(m->lengths);
    if (m->kernel)
        c->call.KernelClose(m->kernel);
}

static void close_device(ts_run_device *d)
{
    card *c = (card *)d;
    close_mover(c, &c->hits);
    close_mover(c, &c->results);
    for (int i = 0; i < TS_RUN_LOADERS; i++)
        if (c->pages[i])
            c->call.BOFree(c->pages[i]);
    if (c->engine)
        c->call.KernelClose(c->engine);
    if (c->handle)
        c->call.DeviceClose(c->handle);
    if (c->library)
        dlclose(c->library);
    free(c);
}

static const ts_run_device_kind kind = {"xrt", read_register, write_register, send, take, wait_for, place, NULL, NULL, close_device};

static bool find(card *c, const char *library, tessera_error *error)
{
    c->library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!c->library)
        return ts_run_fail(error, TESSERA_NO_TOOL, "XRT is not there: %s", dlerror());
#define X(name) \
    { \
        void *symbol = dlsym(c->library, "xrt" #name); \
        if (!symbol) \
            return ts_run_fail(error, TESSERA_NO_TOOL, "%s has no xrt" #name ": another version of XRT is needed", library); \
        memcpy(&c->call.name, &symbol, sizeof symbol); \
    }
    CALLS(X)
#undef X
    return true;
}

static bool open_mover(const card *c, const xuid_t uuid, const char *name, size_t most, mover *m, tessera_error *error)
{
    m->kernel = c->call.PLKernelOpen(c->handle, uuid, name);
    m->run = m->kernel ? c->call.RunOpen(m->kernel) : NULL;
    if (!m->run)
        return ts_run_fail(error, TESSERA_NO_DEVICE, "the card's image has no kernel %s: is it of this package?", name);
    m->room = (most + c->word - 1) / c->word * c->word;
    const int memory = c->call.KernelArgGroupId(m->kernel, 0), lengths = c->call.KernelArgGroupId(m->kernel, 1);
    m->memory = memory < 0 ? NULL : c->call.BOAlloc(c->handle, (m->room + PAGE - 1) / PAGE * PAGE, 0, (xrtMemoryGroup)memory);
    m->lengths = lengths < 0 ? NULL : c->call.BOAlloc(c->handle, PAGE, 0, (xrtMemoryGroup)lengths);
    m->bytes = m->memory ? c->call.BOMap(m->memory) : NULL;
    m->length = m->lengths ? c->call.BOMap(m->lengths) : NULL;
    return (m->bytes && m->length) ||
           ts_run_fail(error, TESSERA_NO_DEVICE, "%zu bytes of the card's memory for kernel %s are not there", m->room, name);
}

static bool parse(const char *text, unsigned *index, char *image, char *library, tessera_error *error)
{
    char key[NAME], value[NAME], *end;
    while (ts_run_argument(&text, key, value, NAME)) {
        const unsigned long number = strtoul(key, &end, 10);
        if (strcmp(key, "xclbin") == 0)
            memcpy(image, value, NAME);
        else if (strcmp(key, "library") == 0)
            memcpy(library, value, NAME);
        else if (!*value && *key && !*end && number < 1024)
            *index = (unsigned)number;
        else
            return ts_run_fail(error, TESSERA_USAGE, "backend: xrt does not know \"%s\"", key);
    }
    return true;
}

static bool open_card(const ts_run_opening *o, card *c, tessera_error *error)
{
    const ts_run_package *p = o->package;
    const ts_run_part *part = &p->part[c->device.number];
    char image[NAME] = "", library[NAME] = "libxrt_coreutil.so.2", engine[NAME];
    unsigned index = 0;
    xuid_t uuid;
    if (!parse(o->arguments, &index, image, library, error))
        return false;
    if (!p->status_word)
        return ts_run_fail(error, TESSERA_USAGE, "%s: memory that a kernel writes has no TUSER: package it with a status word (status)",
                           p->dir);
    if (!*image)
        snprintf(image, sizeof image, "%s/%s/vitis/%s.xclbin", p->dir, part->directory, part->top);
    snprintf(engine, sizeof engine, "%s_kernel", part->top);
    if (!find(c, library, error))
        return false;
    c->word = (size_t)p->out.bus_bits / 8;
    c->handle = c->call.DeviceOpen(index);
    if (!c->handle)
        return ts_run_fail(error, TESSERA_NO_DEVICE, "XRT has no card %u", index);
    if (c->call.DeviceLoadXclbinFile(c->handle, image) != 0 || c->call.DeviceGetXclbinUUID(c->handle, uuid) != 0)
        return ts_run_fail(error, TESSERA_NO_DEVICE, "card %u does not load %s", index, image);
    c->engine = c->call.PLKernelOpenExclusive(c->handle, uuid, engine);
    if (!c->engine)
        return ts_run_fail(error, TESSERA_NO_DEVICE, "%s has no kernel %s, or another process has it: is it of this package?", image,
                           engine);
    return open_mover(c, uuid, "hits_in", c->device.most_in, &c->hits, error) &&
           open_mover(c, uuid, "results_out", c->device.most_out, &c->results, error);
}

bool ts_run_open_xrt(const ts_run_opening *o, int first, int count, ts_run_device **devices, tessera_error *error)
{
    card *c = calloc(1, sizeof *c);
    if (!c)
        return ts_run_fail_memory(error, sizeof *c);
    ts_run_device_begin(&c->device, &kind, o, first);
    *devices = &c->device;
    return open_card(o, c, error) || ts_run_fail_in(error, "%s", c->device.name);
}

#else

bool ts_run_open_xrt(const ts_run_opening *o, int first, int count, ts_run_device **devices, tessera_error *error)
{
    return ts_run_fail(error, TESSERA_UNSUPPORTED, "backend: this library was built without XRT's headers (libxrt-dev)");
}

#endif
