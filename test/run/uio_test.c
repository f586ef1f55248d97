/* Back end "uio" against a stub of what it asks of the system: a DMA that checks order, sizes and alignment of what it is told (PG021), an
   engine behind it, and their failures. Bus errors are real ones, of a file that is too short. */
#include <errno.h>
#include <fcntl.h>

#include "flaky.h"
#include "run/uio.h"

enum { CONTROL_FILE = 100, DMA_FILE, BUFFER_FILE, BYTES = 1 << 20, HELD = 8, INTO = 0, OUT_OF = 0x30 };
static const uint64_t ADDRESS = 0x4070000000;
static const char BACKEND[] = "uio:/dev/uio0,/dev/uio1,/dev/udmabuf0";

typedef struct board {
    uint32_t control[1024], dma[1024];
    _Alignas(64) uint8_t memory[BYTES];
    uint8_t result[HELD][1024];
    size_t size[HELD];
    int first, count, taken, told[2]; /* told: steps of a transfer that a side has been told */
    bool in_flight, wanted;           /* transfers of the two sides */
    uint64_t events;
    int opened, resets;
    /* What goes wrong: */
    bool hang, bus_error, decode_error, long_result, stuck_reset, scatter_gather, missing, odd_address, stalled_hits;
} board;

static board b;

static bool is_in(const volatile void *at, const void *area, size_t size, uint32_t *offset)
{
    const char *p = (const char *)(uintptr_t)at, *from = area;
    *offset = (uint32_t)(p - from);
    return p >= from && p < from + size;
}

/* Where the DMA reads or writes: inside of the buffer, at whole words of its bus. */
static uint8_t *memory_at(uint32_t side, uint32_t size)
{
    const uint64_t at = (uint64_t)b.dma[(side + 0x1c) / 4] << 32 | b.dma[(side + 0x18) / 4];
    CHECK_THAT(at >= ADDRESS && at + size <= ADDRESS + BYTES && at % 8 == 0);
    return b.memory + (at - ADDRESS);
}

static void deliver(void)
{
    if (!b.wanted || b.count == 0 || b.hang)
        return;
    const uint32_t room = b.dma[(OUT_OF + 0x28) / 4];
    CHECK_THAT(b.size[b.first] <= room);
    memcpy(memory_at(OUT_OF, room), b.result[b.first], b.size[b.first]);
    b.dma[(OUT_OF + 0x28) / 4] = (uint32_t)b.size[b.first] + (b.long_result ? 1 << 20 : 0);
    b.dma[(OUT_OF + 4) / 4] |= 0x1002;
    b.first = (b.first + 1) % HELD;
    b.count--;
    b.events++;
    b.wanted = false;
}

static void compute(const uint8_t *bytes, uint32_t size)
{
    const int at = (b.first + b.count) % HELD, hits = (int)size / 4;
    CHECK_THAT(b.count < HELD && size % 4 == 0 && hits >= 1 && hits <= FLAKY_MAX_TOKENS);
    for (int i = 0; i < hits; i++) {
        int16_t in[2];
        memcpy(in, bytes + 4 * i, 4);
        const int32_t out[2] = {in[0], 3 * in[1] + hits};
        memcpy(b.result[at] + 8 * i, out, 8);
    }
    const uint32_t status[2] = {(uint32_t)hits << 8, 0};
    memcpy(b.result[at] + 8 * hits, status, 8);
    b.size[at] = 8 * (size_t)hits + 8;
    b.count++;
}

static void start(uint32_t side, uint32_t length)
{
    CHECK_THAT(b.dma[side / 4] & 1);       /* it runs */
    CHECK_THAT(b.told[side != INTO] == 3); /* status cleared, address, its upper half: in this order, for this transfer */
    CHECK_THAT(length > 0 && length < 1 << 14);
    b.told[side != INTO] = 0;
    b.dma[(side + 0x28) / 4] = length;
    b.dma[(side + 4) / 4] &= ~2U;
    if (b.decode_error) {
        b.dma[(side + 4) / 4] |= 0x41;
        return;
    }
    if (side == OUT_OF) {
        CHECK_THAT(!b.wanted);
        b.wanted = true;
    } else if (!b.stalled_hits) {
        compute(memory_at(INTO, length), length);
        b.dma[(side + 4) / 4] |= 0x1002;
    }
    deliver();
}

static void reset_dma(void)
{
    b.told[0] = b.told[1] = 0;
    b.wanted = false;
    for (int side = INTO; side <= OUT_OF; side += OUT_OF) {
        b.dma[side / 4] = b.stuck_reset ? 4 : 0;
        b.dma[(side + 4) / 4] = 1U | (b.scatter_gather ? 8 : 0);
    }
}

static void store_dma(uint32_t at, uint32_t value)
{
    const uint32_t side = at < OUT_OF ? INTO : OUT_OF;
    int *told = &b.told[side != INTO];
    switch (at - side) {
    case 0x00:
        if (value & 4) {
            reset_dma();
        } else {
            b.dma[at / 4] = value;
            if (value & 1)
                b.dma[(side + 4) / 4] &= ~1U;
        }
        break;
    case 0x04:
        b.dma[at / 4] &= ~(value & 0x7000);
        *told = 1;
        break;
    case 0x18:
        CHECK_THAT(*told == 1);
        *told = 2;
        b.dma[at / 4] = value;
        break;
    case 0x1c:
        CHECK_THAT(*told == 2);
        *told = 3;
        b.dma[at / 4] = value;
        break;
    case 0x28:
        start(side, value);
        break;
    default:
        CHECK_THAT(at == side); /* there is no such register */
    }
}

static bool stub_store(volatile uint32_t *at, uint32_t value)
{
    uint32_t offset;
    CHECK_THAT((uintptr_t)at % 4 == 0);
    if (is_in(at, b.dma, sizeof b.dma, &offset)) {
        store_dma(offset, value);
        return true;
    }
    CHECK_THAT(is_in(at, b.control, sizeof b.control, &offset));
    if (b.bus_error)
        return false;
    b.control[offset / 4] = value;
    return true;
}

static bool stub_load(const volatile uint32_t *at, uint32_t *to)
{
    uint32_t offset;
    if (is_in(at, b.dma, sizeof b.dma, &offset)) {
        deliver();
        *to = b.dma[offset / 4];
        return true;
    }
    CHECK_THAT(is_in(at, b.control, sizeof b.control, &offset));
    *to = offset == TS_RUN_REG_MAGIC      ? 0x41534554
          : offset == TS_RUN_REG_MAP      ? 1 << 16
          : offset == TS_RUN_REG_BUILD_LO ? 0x89abcdf0
          : offset == TS_RUN_REG_BUILD_HI ? 0x01234567
          : offset == TS_RUN_REG_EVENTS   ? (uint32_t)b.events
          : offset == TS_RUN_REG_STATUS   ? (b.count == 0 ? 1 : 0)
                                          : 0;
    return !b.bus_error;
}

static int stub_open(const char *path)
{
    static const char *const names[] = {"/dev/uio0", "/dev/uio1", "/dev/udmabuf0"};
    for (int i = 0; i < 3; i++)
        if (strcmp(path, names[i]) == 0 && !(b.missing && i == 1)) {
            b.opened++;
            return CONTROL_FILE + i;
        }
    errno = ENOENT;
    return -1;
}

static void *stub_map(int file, size_t size)
{
    CHECK_THAT(size == (file == BUFFER_FILE ? (size_t)BYTES : 4096));
    return file == CONTROL_FILE ? (void *)b.control : file == DMA_FILE ? (void *)b.dma : (void *)b.memory;
}

static void stub_unmap(void *at, size_t size, int file)
{
    b.opened--;
}

static bool stub_number(const char *path, uint64_t *value)
{
    const bool size = strcmp(path, "/sys/class/u-dma-buf/udmabuf0/size") == 0;
    CHECK_THAT(size || strcmp(path, "/sys/class/u-dma-buf/udmabuf0/phys_addr") == 0);
    *value = size ? BYTES : ADDRESS + (b.odd_address ? 16 : 0);
    return true;
}

static bool stub_text(const char *path, const char *text)
{
    CHECK_THAT(strcmp(path, "/gpio") == 0);
    if (*text == '0') {
        b.resets++;
        b.count = 0;
        b.hang = b.stalled_hits = b.bus_error = false;
        b.events = 0;
    }
    return true;
}

static int stub_interrupt(int file, int milliseconds)
{
    CHECK_THAT(file == DMA_FILE && (b.dma[OUT_OF / 4] & 0x1000));
    return b.wanted ? 0 : 1;
}

static const ts_run_uio_calls stub = {stub_open, stub_map, stub_unmap, stub_load, stub_store, stub_number, stub_text, stub_interrupt};

static tessera_error error;

static tessera_runner *open_it(const char *more)
{
    char backend[256];
    tessera_runner *r;
    tessera_run_open_options o = TESSERA_INIT(tessera_run_open_options);
    snprintf(backend, sizeof backend, "%s%s", BACKEND, more);
    flaky_status_word = true;
    o.package = flaky_package(1);
    o.backend = backend;
    o.depth = 5;
    o.timeout = 0.05;
    tessera_run_open(&o, &r, &error);
    return r;
}

static void events(tessera_runner *r, int count)
{
    tessera_run_result result;
    for (int i = 0; i < count; i++) {
        CHECK_THAT(flaky_submit(r, i, 1 + i % FLAKY_MAX_TOKENS, 0, NULL, &error) == TESSERA_OK);
        if (i % 3 == 2)
            for (int k = 0; k < 3; k++)
                CHECK_THAT(flaky_wait_for(r, TESSERA_RUN_NEXT, 1, &result, &error) == TESSERA_OK);
    }
}

static void events_go_through_the_dma(void)
{
    for (int interrupts = 0; interrupts < 2; interrupts++) {
        memset(&b, 0, sizeof b);
        tessera_runner *r = open_it(interrupts ? ",interrupts" : "");
        if (!r)
            fprintf(stderr, "%s\n", error.message);
        CHECK_THAT(r);
        events(r, 60);
        CHECK_THAT(b.events == 60 && b.opened == 3);
        tessera_run_close(r);
        CHECK_THAT(b.opened == 0);
    }
}

static void hangs_and_resets(void)
{
    memset(&b, 0, sizeof b);
    tessera_runner *r = open_it(",reset=/gpio");
    tessera_run_result result;
    CHECK_THAT(r);
    b.hang = true;
    CHECK_THAT(flaky_submit(r, 1, 2, 0, NULL, &error) == TESSERA_OK && flaky_wait_for(r, 0, 1, &result, &error) == TESSERA_TIMED_OUT);
    CHECK_SAYS(error, TESSERA_TIMED_OUT, "device 0 (board0): no result of event 0");
    CHECK_THAT(tessera_run_reset(r, 0.1, &error) == TESSERA_OK && b.resets == 1);
    events(r, 9);
    b.stalled_hits = true;
    CHECK_THAT(flaky_submit(r, 1, 2, 0, NULL, &error) == TESSERA_OK && flaky_wait_for(r, 10, 1, &result, &error) == TESSERA_TIMED_OUT);
    CHECK_THAT(tessera_run_reset(r, 0.1, &error) == TESSERA_OK && b.resets == 2);
    events(r, 9);
    b.decode_error = true;
    CHECK_THAT(flaky_submit(r, 1, 2, 0, NULL, &error) == TESSERA_OK &&
               flaky_wait_for(r, TESSERA_RUN_NEXT, 1, &result, &error) != TESSERA_OK);
    CHECK_SAYS(error, TESSERA_TIMED_OUT, "no result of event"); /* the side that sends failed, and no more was sent */
    b.decode_error = false;
    CHECK_THAT(tessera_run_reset(r, 0.1, &error) == TESSERA_OK && b.resets == 3);
    b.long_result = true;
    CHECK_THAT(flaky_submit(r, 1, 2, 0, NULL, &error) == TESSERA_OK &&
               flaky_wait_for(r, TESSERA_RUN_NEXT, 1, &result, &error) == TESSERA_NO_DEVICE);
    CHECK_SAYS(error, TESSERA_NO_DEVICE, "LENGTH at 0x58 says");
    b.long_result = false;
    CHECK_THAT(tessera_run_reset(r, 0.1, &error) == TESSERA_OK);
    b.bus_error = true;
    uint32_t value;
    CHECK_THAT(tessera_run_read(r, 0, TS_RUN_REG_STATUS, &value, &error) == TESSERA_NO_DEVICE);
    CHECK_SAYS(error, TESSERA_NO_DEVICE, "device 0 (board0): reading STATUS at 0x048: engine at 0x48: bus error");
    tessera_run_close(r);
    CHECK_THAT(b.opened == 0);
    memset(&b, 0, sizeof b);
    r = open_it("");
    CHECK_THAT(r);
    b.hang = true;
    CHECK_THAT(flaky_submit(r, 1, 2, 0, NULL, &error) == TESSERA_OK && flaky_wait_for(r, 0, 1, &result, &error) == TESSERA_TIMED_OUT);
    CHECK_THAT(tessera_run_reset(r, 0.1, &error) == TESSERA_UNSUPPORTED);
    CHECK_SAYS(error, TESSERA_UNSUPPORTED, "hard reset: no reset=FILE was given for the engine: load the bitstream again");
    tessera_run_close(r);
}

static void what_is_not_there_is_said(void)
{
    static const struct {
        size_t fault;
        const char *more, *says;
    } cases[] = {{offsetof(board, missing), "", "device 0 (board0): /dev/uio1: No such file"},
                 {offsetof(board, odd_address), "", "/dev/udmabuf0: is at 0x4070000010, no multiple of 4096"},
                 {offsetof(board, scatter_gather), "", "with scatter-gather"},
                 {offsetof(board, stuck_reset), "", "DMA register at 0x00 stays 0x00000004: its reset does not end"},
                 {offsetof(board, bus_error), "", "reading MAGIC at 0x000: engine at 0x00: bus error"},
                 {offsetof(board, opened), ",bytes=12000", "/dev/udmabuf0: has 12000 bytes, two events and one's results need 12288"},
                 {offsetof(board, opened), ",nonsense", "uio does not know \"nonsense\""},
                 {offsetof(board, decode_error), "", "DMA status at 0x34 is 0x"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memset(&b, 0, sizeof b);
        if (cases[i].fault != offsetof(board, opened))
            *(bool *)((char *)&b + cases[i].fault) = true;
        tessera_runner *r = open_it(cases[i].more);
        tessera_run_result result;
        if (r) { /* it is found later */
            CHECK_THAT(flaky_submit(r, 1, 1, 0, NULL, &error) == TESSERA_OK || error.code == TESSERA_NO_DEVICE);
            if (error.code == TESSERA_OK)
                flaky_wait_for(r, TESSERA_RUN_NEXT, 1, &result, &error);
        }
        if (!strstr(error.message, cases[i].says))
            fprintf(stderr, "%s\n    wanted: %s\n", error.message, cases[i].says);
        CHECK_THAT(strstr(error.message, cases[i].says));
        if (r)
            tessera_run_close(r);
        CHECK_THAT(b.opened == 0);
    }
}

/* The system's own calls: a file stands for registers, and is cut off. */
static void bus_errors_come_back(const ts_run_uio_calls *system)
{
    char path[] = "/tmp/tessera-uio-XXXXXX";
    const int made = mkstemp(path);
    uint32_t value = 0;
    uint64_t number = 0;
    CHECK_THAT(made >= 0 && ftruncate(made, 4096) == 0);
    const int file = system->open(path);
    volatile uint32_t *at = system->map(file, 4096);
    CHECK_THAT(file >= 0 && at && system->store(at + 3, 77) && system->load(at + 3, &value) && value == 77);
    CHECK_THAT(ftruncate(made, 0) == 0);
    for (int i = 0; i < 3; i++)
        CHECK_THAT(!system->load(at + 3, &value) && !system->store(at, 1));
    CHECK_THAT(ftruncate(made, 4096) == 0 && system->load(at + 3, &value) && value == 0);
    system->unmap((void *)(uintptr_t)at, 4096, file);
    CHECK_THAT(system->text(path, "0x4070000000\n") && system->number(path, &number) && number == ADDRESS);
    CHECK_THAT(!system->number("/nowhere", &number));
    close(made);
    unlink(path);
}

int main(void)
{
    bus_errors_come_back(ts_run_uio);
    ts_run_uio = &stub;
    static const check_case cases[] = {{"events_go_through_the_dma", events_go_through_the_dma},
                                       {"hangs_and_resets", hangs_and_resets},
                                       {"what_is_not_there_is_said", what_is_not_there_is_said}};
    const int failed = check_all(cases, sizeof cases / sizeof *cases);
    flaky_package_remove(flaky_package(1));
    return failed;
}
