/* The way between the host and the hardware of an assisted design: what an event's tokens and results lose on it. Both directions work at
   the same time, as those of AXI and PCI Express do. */
#ifndef TS_HOST_BUS_H
#define TS_HOST_BUS_H
#include "plan/chain.h"
#include "ring/device.h"

typedef struct ts_host_bus {
    double mbits, ns; /* each way: bandwidth, latency */
    const char *what; /* where the figures are from */
} ts_host_bus;

/* That of the device's file, or, where it has none, one like a link between devices. */
ts_host_bus ts_host_bus_of(const ts_device *device);

/* Of an event, cycles of the engine's clock. */
typedef struct ts_host_prediction {
    int tokens, rows;                /* to the hardware, from it */
    int token_bytes, row_bytes;      /* of one, whole transfers of the ports */
    double to_cycles, from_cycles;   /* that the bus is busy with each */
    double token_cycles, row_cycles; /* between two of them on the bus */
    double flight_cycles;            /* of each way */
    long long latency_cycles;        /* of a lone event, from its first token sent to its last result back */
    long long interval_cycles;       /* of equal events back to back */
} ts_host_prediction;

/* n >= 1 tokens, 1 or n rows of results; the rings as for ts_chain_predict. */
ts_host_prediction ts_host_predict(const ts_host_bus *bus, const ts_chain_ring *ring, int count, int n, int rows, int token_bytes,
                                   int row_bytes);

#endif
