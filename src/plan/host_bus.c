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
    enum { SLACK = 4 }; /* results between a ring's last stage and its port */
    const ts_chain_ring *first = &ring[0], *last = &ring[count - 1];
    const double clock = first->plan->clock_mhz, bits = bus->mbits / clock, flight = bus->ns * clock / 1000;
    ts_host_prediction p = {.tokens = n, .rows = rows, .token_bytes = token_bytes, .row_bytes = row_bytes};
    p.token_cycles = 8 * token_bytes / bits;
    p.row_cycles = 8 * row_bytes / bits;
    p.flight_cycles = flight;
    p.to_cycles = n * p.token_cycles;
    p.from_cycles = rows * p.row_cycles;
    const ts_chain_prediction chain = ts_chain_predict(ring, count, n, NULL);
    const double fill = (double)(chain.total_cycles - chain.latency_cycles), span = (double)ts_predict(last->plan, last->im, n).span_cycles;
    /* The ring takes tokens as they come; results are on the bus from the first one on. */
    const double in = flight + p.token_cycles + fmax(fill, (n - 1) * p.token_cycles), out = in + (double)chain.latency_cycles;
    p.latency_cycles = llround(fmax(out + p.row_cycles, out - span + p.from_cycles) + flight);
    const ts_pace entry = {p.token_cycles, 0}, exit = {0, rows > 1 ? p.row_cycles : 0};
    double interval = fmax((double)chain.interval_cycles, fmax(p.to_cycles, p.from_cycles));
    interval = fmax(interval, (double)ts_predict_between(first->plan, first->im, n, entry, 0).interval_cycles);
    interval = fmax(interval, (double)ts_predict_between(last->plan, last->im, n, exit, SLACK).interval_cycles);
    p.interval_cycles = llround(interval);
    return p;
}
