#include "plan/host_bus.h"

#include <math.h>

#include "plan/link.h"

ts_host_bus ts_host_bus_of(const ts_device *device)
{
    if (device->host)
        return (ts_host_bus){device->host_mbits, device->host_ns, device->host};
    return (ts_host_bus){TS_LINK_MBITS, TS_LINK_NS, "assumed: the device's file names no host"};
}

ts_host_prediction ts_host_predict(const ts_host_bus *bus, const ts_chain_ring *ring, int count, int n, int rows, int token_bytes,
                                   int row_bytes)
{
    const double clock = ring[0].plan->clock_mhz, bits = bus->mbits / clock, flight = bus->ns * clock / 1000;
    ts_host_prediction p = {.tokens = n, .rows = rows, .token_bytes = token_bytes, .row_bytes = row_bytes};
    p.token_cycles = 8 * token_bytes / bits;
    p.row_cycles = 8 * row_bytes / bits;
    p.flight_cycles = flight;
    p.to_cycles = n * p.token_cycles;
    p.from_cycles = rows * p.row_cycles;
    ts_event_times first;
    const double with_bus = ts_chain_equal_events(
        (ts_chain_queue){.ring = ring, .count = count, .token_cycles = p.token_cycles, .row_cycles = p.row_cycles}, n, &first);
    /* The first token and the last result cross the bus outside of that. */
    p.latency_cycles = llround(first.last_out + p.token_cycles + p.row_cycles + 2 * flight);
    const double interval = fmax((double)ts_chain_predict(ring, count, n).interval_cycles, with_bus);
    p.interval_cycles = llround(fmax(interval, fmax(p.to_cycles, p.from_cycles)));
    return p;
}
