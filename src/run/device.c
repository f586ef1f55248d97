#include "run/device.h"

#include <string.h>
#include <time.h>

const char *ts_run_register_name(uint32_t address)
{
    static const struct {
        uint32_t address;
        const char *name;
    } all[] = {
#define REGISTER(at, id, how, width, source, when, text) {(at), #id},
#define FIELD(of, id, lsb, bits, text)
#define COUNTER(at, id, number, text) {(at), #id "_LO"}, {(at) + 4, #id "_HI"},
#include "board/registers.def"
#undef REGISTER
#undef FIELD
#undef COUNTER
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].address == address)
            return all[i].name;
    return "register";
}

bool ts_run_read(ts_run_device *d, uint32_t address, uint32_t *value, tessera_error *error)
{
    *value = 0;
    return d->kind->read(d, address, value, error) ||
           ts_run_fail_in(error, "%s: reading %s at 0x%03x", d->name, ts_run_register_name(address), address);
}

bool ts_run_write(ts_run_device *d, uint32_t address, uint32_t value, tessera_error *error)
{
    return d->kind->write(d, address, value, error) ||
           ts_run_fail_in(error, "%s: writing 0x%x to %s at 0x%03x", d->name, value, ts_run_register_name(address), address);
}

bool ts_run_counter(ts_run_device *d, uint32_t address, uint64_t *value, tessera_error *error)
{
    uint32_t low, high;
    if (!ts_run_read(d, address, &low, error) || !ts_run_read(d, address + 4, &high, error))
        return false;
    *value = (uint64_t)high << 32 | low;
    return true;
}

int64_t ts_run_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void ts_run_pause(double seconds)
{
    if (!(seconds > 0))
        return;
    const time_t whole = (time_t)seconds;
    struct timespec t = {whole, (long)((seconds - (double)whole) * 1e9)};
    nanosleep(&t, NULL);
}
