/* Back end "uio": an engine and a DMA (PG021, without scatter-gather) on a Zynq, whose registers are UIO devices and whose buffers are a
   u-dma-buf, as vivado/block_design.tcl of a package connects them.
   Arguments: CONTROL,DMA,BUFFER (/dev/uio0,/dev/uio1,/dev/udmabuf0), then, where wanted, interrupts (the DMA's UIO device has that of
   results), reset=FILE (a file that resets engine and DMA with a 0 and lets go with a 1: a GPIO's value), address=N and bytes=N of the
   buffer, where sysfs does not say them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/format.h"
#include "run/uio.h"

enum { REGISTERS = 0x1000, PAGE = 4096, NAME = 256 };

/* Of the DMA, PG021: each direction has its registers. */
enum { TO_ENGINE = 0x00, FROM_ENGINE = 0x30, CONTROL = 0x00, STATUS = 0x04, ADDRESS = 0x18, ADDRESS_HIGH = 0x1c, LENGTH = 0x28 };
enum { CONTROL_RUN = 1, CONTROL_RESET = 4, CONTROL_INTERRUPT = 0x1000 };
enum { STATUS_HALTED = 1, STATUS_LISTS = 8, STATUS_ERRORS = 0x70, STATUS_DONE = 0x1000, STATUS_EVENTS = 0x7000 };

typedef struct mapped {
    int file;
    void *at;
    size_t size;
} mapped;

typedef struct uio {
    ts_run_device device;
    mapped control, dma, buffer;
    char reset[NAME];
    bool interrupts;
    uint64_t address;                                         /* of the buffer, as the DMA sees it */
    size_t hits[2], results, pages;                           /* where they are in it */
    size_t image[TS_RUN_LOADERS], image_size[TS_RUN_LOADERS]; /* of each page loader, in it */
    int next;                                                 /* buffer of hits that the next event goes to */
    bool first, last;                                         /* takes hits, gives results */
    bool sending, armed, sound;                               /* sound: the DMA is started */
} uio;

/* ---- Registers */

static bool access_failed(const char *of, uint32_t at, tessera_error *error)
{
    return ts_run_fail(error, TESSERA_NO_DEVICE, "%s at 0x%02x: bus error (SLVERR or DECERR)%s", of, at,
                       *of == 'D' ? "" : ": the engine clock stands still, or nothing is at this address");
}

static bool read_register(ts_run_device *d, uint32_t address, uint32_t *value, tessera_error *error)
{
    const uio *u = (const uio *)d;
    return ts_run_uio->load((const volatile uint32_t *)((const char *)u->control.at + address), value) ||
           access_failed("engine", address, error);
}

static bool write_register(ts_run_device *d, uint32_t address, uint32_t value, tessera_error *error)
{
    const uio *u = (const uio *)d;
    return ts_run_uio->store((volatile uint32_t *)((char *)u->control.at + address), value) || access_failed("engine", address, error);
}

static bool get(const uio *u, uint32_t at, uint32_t *value, tessera_error *error)
{
    return ts_run_uio->load((const volatile uint32_t *)((const char *)u->dma.at + at), value) || access_failed("DMA register", at, error);
}

static bool put(const uio *u, uint32_t at, uint32_t value, tessera_error *error)
{
    return ts_run_uio->store((volatile uint32_t *)((char *)u->dma.at + at), value) || access_failed("DMA register", at, error);
}

/* ---- The DMA */

static bool check_status(uint32_t status, uint32_t side, tessera_error *error)
{
    if (!(status & STATUS_ERRORS))
        return true;
    return ts_run_fail(error, TESSERA_NO_DEVICE, "DMA status at 0x%02x is 0x%08x:%s%s%s", side + STATUS, status,
                       status & 0x10 ? " internal error (a packet longer than its buffer?)" : "", status & 0x20 ? " slave error" : "",
                       status & 0x40 ? " decode error: the buffer's address is none of memory" : "");
}

static bool start_transfer(const uio *u, uint32_t side, size_t at, size_t size, tessera_error *error)
{
    const uint64_t address = u->address + at;
    return put(u, side + STATUS, STATUS_EVENTS, error) && put(u, side + ADDRESS, (uint32_t)address, error) &&
           put(u, side + ADDRESS_HIGH, (uint32_t)(address >> 32), error) && put(u, side + LENGTH, (uint32_t)size, error);
}

static bool arm(uio *u, tessera_error *error)
{
    u->armed = start_transfer(u, FROM_ENGINE, u->results, u->device.most_out, error);
    return u->armed;
}

static bool wait_register(uio *u, uint32_t at, uint32_t mask, uint32_t wanted, const char *what, tessera_error *error)
{
    const int64_t end = ts_run_now() + (int64_t)(u->device.timeout * 1e9);
    for (;;) {
        uint32_t value;
        if (!get(u, at, &value, error))
            return false;
        if ((value & mask) == wanted)
            return true;
        if (ts_run_now() > end)
            return ts_run_fail(error, TESSERA_TIMED_OUT, "DMA register at 0x%02x stays 0x%08x: %s", at, value, what);
        ts_run_pause(10e-6);
    }
}

/* From any state: a reset of either side is one of both. */
static bool start_dma(uio *u, tessera_error *error)
{
    uint32_t status;
    u->sending = u->armed = u->sound = false;
    u->next = 0;
    if (!put(u, TO_ENGINE + CONTROL, CONTROL_RESET, error) ||
        !wait_register(u, TO_ENGINE + CONTROL, CONTROL_RESET, 0, "its reset does not end, a transfer in memory is stuck", error) ||
        !get(u, TO_ENGINE + STATUS, &status, error))
        return false;
    if (status & STATUS_LISTS)
        return ts_run_fail(error, TESSERA_UNSUPPORTED, "the DMA is one with scatter-gather: build the block design without it");
    for (int side = TO_ENGINE; side <= FROM_ENGINE; side += FROM_ENGINE)
        if (!put(u, (uint32_t)side + CONTROL, CONTROL_RUN | (u->interrupts && side == FROM_ENGINE ? CONTROL_INTERRUPT : 0), error) ||
            !wait_register(u, (uint32_t)side + STATUS, STATUS_HALTED, 0, "it does not start", error))
            return false;
    u->sound = !u->last || arm(u, error);
    return u->sound;
}

/* Words, because the buffer may be mapped as registers are, where nothing else goes. */
static void copy_to(uint8_t *to, const uint8_t *from, size_t size)
{
    volatile uint32_t *word = (volatile uint32_t *)(void *)to;
    for (size_t i = 0; i < size; i += 4) {
        uint32_t value = 0;
        memcpy(&value, from + i, size - i < 4 ? size - i : 4);
        *word++ = value;
    }
}

static void copy_from(uint8_t *to, const uint8_t *from, size_t size)
{
    const volatile uint32_t *word = (const volatile uint32_t *)(const void *)from;
    for (size_t i = 0; i < size; i += 4) {
        const uint32_t value = *word++;
        memcpy(to + i, &value, size - i < 4 ? size - i : 4);
    }
}

static ts_run_move send(ts_run_device *d, const uint8_t *bytes, size_t size, tessera_error *error)
{
    uio *u = (uio *)d;
    uint32_t status = 0;
    if (!u->sound || (u->sending && (!get(u, TO_ENGINE + STATUS, &status, error) || !check_status(status, TO_ENGINE, error))))
        return TS_RUN_BROKEN;
    if (u->sending && !(status & STATUS_DONE))
        return TS_RUN_BUSY;
    u->sending = false;
    copy_to((uint8_t *)u->buffer.at + u->hits[u->next], bytes, size);
    if (!start_transfer(u, TO_ENGINE, u->hits[u->next], size, error))
        return TS_RUN_BROKEN;
    u->sending = true;
    u->next = !u->next;
    return TS_RUN_MOVED;
}

static ts_run_move take(ts_run_device *d, uint8_t *bytes, size_t room, size_t *size, unsigned *flags, tessera_error *error)
{
    uio *u = (uio *)d;
    uint32_t status, length;
    if (!u->sound || !u->armed || !get(u, FROM_ENGINE + STATUS, &status, error) || !check_status(status, FROM_ENGINE, error))
        return TS_RUN_BROKEN;
    if (!(status & STATUS_DONE))
        return TS_RUN_BUSY;
    if (!get(u, FROM_ENGINE + LENGTH, &length, error))
        return TS_RUN_BROKEN;
    if (length > room || length > u->device.most_out) {
        ts_run_fail(error, TESSERA_NO_DEVICE, "DMA register LENGTH at 0x%02x says %u bytes, more than its buffer has", FROM_ENGINE + LENGTH,
                    length);
        return TS_RUN_BROKEN;
    }
    copy_from(bytes, (const uint8_t *)u->buffer.at + u->results, length);
    *size = length;
    *flags = 0;
    return arm(u, error) ? TS_RUN_MOVED : TS_RUN_BROKEN;
}

static void wait_for(ts_run_device *d, double seconds)
{
    uio *u = (uio *)d;
    if (u->interrupts && ts_run_uio->interrupt(u->dma.file, (int)(seconds * 1e3) + 1) >= 0)
        return;
    ts_run_pause(seconds < 20e-6 ? seconds : 20e-6);
}

static size_t next_page(size_t at, size_t size)
{
    return (at + size + PAGE - 1) / PAGE * PAGE;
}

static bool place(ts_run_device *d, int loader, const uint8_t *image, size_t size, size_t alignment, uint64_t *address,
                  tessera_error *error)
{
    uio *u = (uio *)d;
    if (u->image_size[loader] < size) { /* one behind the other; a larger one than before does not go into its place */
        const size_t at = (size_t)((u->address + u->pages + alignment - 1) / alignment * alignment - u->address);
        if (at + size > u->buffer.size)
            return ts_run_fail(error, TESSERA_DOES_NOT_FIT, "the buffer has %zu bytes, %zu of pages do not fit behind the first %zu",
                               u->buffer.size, size, u->pages);
        u->image[loader] = at;
        u->image_size[loader] = size;
        u->pages = next_page(at, size);
    }
    copy_to((uint8_t *)u->buffer.at + u->image[loader], image, size);
    *address = u->address + u->image[loader];
    return true;
}

static bool restart(ts_run_device *d, tessera_error *error)
{
    uio *u = (uio *)d;
    if (!*u->reset)
        return ts_run_fail(error, TESSERA_UNSUPPORTED, "no reset=FILE was given for the engine: load the bitstream again");
    if (!ts_run_uio->text(u->reset, "0"))
        return ts_run_fail(error, TESSERA_NO_FILE, "%s: %s", u->reset, strerror(errno));
    ts_run_pause(1e-3);
    if (!ts_run_uio->text(u->reset, "1"))
        return ts_run_fail(error, TESSERA_NO_FILE, "%s: %s", u->reset, strerror(errno));
    ts_run_pause(1e-3);
    return start_dma(u, error);
}

static void close_device(ts_run_device *d)
{
    uio *u = (uio *)d;
    tessera_error unused;
    if (u->sound) /* nothing is written to memory that is somebody else's next */
        put(u, TO_ENGINE + CONTROL, CONTROL_RESET, &unused);
    const mapped *all[] = {&u->control, &u->dma, &u->buffer};
    for (size_t i = 0; i < 3; i++)
        if (all[i]->file >= 0)
            ts_run_uio->unmap(all[i]->at, all[i]->size, all[i]->file);
    free(u);
}

static const ts_run_device_kind kind = {"uio", read_register, write_register, send, take, wait_for, place, restart, NULL, close_device};

/* ---- Opening */

static bool map_file(mapped *m, const char *path, size_t size, tessera_error *error)
{
    m->file = ts_run_uio->open(path);
    if (m->file < 0)
        return ts_run_fail(error, TESSERA_NO_DEVICE, "%s: %s", path, strerror(errno));
    m->size = size;
    m->at = ts_run_uio->map(m->file, size);
    return m->at != NULL || ts_run_fail(error, TESSERA_NO_DEVICE, "%s: cannot be mapped: %s", path, strerror(errno));
}

static bool of_buffer(const char *path, const char *what, uint64_t *value, tessera_error *error)
{
    char file[2 * NAME];
    const char *name = strrchr(path, '/');
    if (*value)
        return true;
    snprintf(file, sizeof file, "/sys/class/u-dma-buf/%s/%s", name ? name + 1 : path, what);
    return (ts_run_uio->number(file, value) && *value) ||
           ts_run_fail(error, TESSERA_NO_DEVICE, "%s: is no u-dma-buf: %s cannot be read (address=, bytes=)", path, file);
}

static bool lay_out(uio *u, const char *path, uint64_t bytes, tessera_error *error)
{
    u->hits[0] = 0;
    u->hits[1] = next_page(0, u->device.most_in);
    u->results = next_page(u->hits[1], u->device.most_in);
    u->pages = next_page(u->results, u->device.most_out);
    if (u->pages > bytes)
        return ts_run_fail(error, TESSERA_DOES_NOT_FIT, "%s: has %llu bytes, two events and one's results need %zu", path,
                           (unsigned long long)bytes, u->pages);
    return u->address % PAGE == 0 ||
           ts_run_fail(error, TESSERA_NO_DEVICE, "%s: is at 0x%llx, no multiple of %d", path, (unsigned long long)u->address, PAGE);
}

typedef struct arguments {
    char path[3][NAME];
    int paths;
    uint64_t address, bytes;
} arguments;

static bool parse(const char *text, uio *u, arguments *a, tessera_error *error)
{
    char key[NAME], value[NAME];
    memset(a, 0, sizeof *a);
    while (ts_run_argument(&text, key, value, NAME)) {
        if (strcmp(key, "reset") == 0)
            memcpy(u->reset, value, NAME);
        else if (strcmp(key, "interrupts") == 0 && !*value)
            u->interrupts = true;
        else if (strcmp(key, "address") == 0)
            a->address = strtoull(value, NULL, 0);
        else if (strcmp(key, "bytes") == 0)
            a->bytes = strtoull(value, NULL, 0);
        else if (!*value && *key == '/' && a->paths < 3)
            memcpy(a->path[a->paths++], key, NAME);
        else
            return ts_run_fail(error, TESSERA_USAGE, "backend: uio does not know \"%s\"", key);
    }
    return a->paths == 3 || ts_run_fail(error, TESSERA_USAGE, "backend: uio needs three files: /dev/uio0,/dev/uio1,/dev/udmabuf0");
}

bool ts_run_open_uio(const ts_run_opening *o, int first, int count, ts_run_device **devices, tessera_error *error)
{
    arguments a;
    uio *u = calloc(1, sizeof *u);
    if (!u)
        return ts_run_fail_memory(error, sizeof *u);
    ts_run_device_begin(&u->device, &kind, o, first);
    u->control.file = u->dma.file = u->buffer.file = -1;
    u->first = first == 0;
    u->last = first == o->package->devices - 1;
    *devices = &u->device;
    if (!parse(o->arguments, u, &a, error))
        return false;
    if (u->last && !o->package->status_word)
        return ts_run_fail(error, TESSERA_USAGE, "%s: memory that a DMA writes has no TUSER: package it with a status word (status)",
                           o->package->dir);
    u->address = a.address;
    if (!map_file(&u->control, a.path[0], REGISTERS, error) || !map_file(&u->dma, a.path[1], REGISTERS, error) ||
        !of_buffer(a.path[2], "phys_addr", &u->address, error) || !of_buffer(a.path[2], "size", &a.bytes, error) ||
        !lay_out(u, a.path[2], a.bytes, error) || !map_file(&u->buffer, a.path[2], (size_t)a.bytes, error))
        return ts_run_fail_in(error, "%s", u->device.name);
    return start_dma(u, error) || ts_run_fail_in(error, "%s", u->device.name);
}
