/* The top of one device of a design, as it goes onto a board: the device's rings in the engine clock, AXI on the bus clock around them. A
   value, from which the Verilog, the registers and the files for other tools are made. docs/boards.md draws it.

       aclk (bus clock)                                        engine_clk
       s_axi_control  -> ts_axil --- ts_async_fifo, both ways --- registers, counters, ts_drain
       s_axis_hits    -> ts_axis_io  (ts_async_fifo, both ways) -> rings
       m_axis_results <-                                         <-
       m_axi_pages    <- ts_axi_read_cross                       <- pager
       interrupt      <- ts_sync                                 <- registers */
#ifndef TS_BOARD_H
#define TS_BOARD_H
#include "emit/system.h"

typedef enum { TS_BUS_CONTROL, TS_BUS_HITS, TS_BUS_RESULTS, TS_BUS_PAGES } ts_bus_kind;

/* An AXI interface of the top, on aclk. */
typedef struct ts_bus {
    ts_bus_kind kind;
    const char *name; /* its signals begin with it and "_" */
    bool master;
    int data_bits, address_bits;
} ts_bus;

enum { TS_BUS_MAX = 4 };

typedef struct ts_board {
    const ts_system *system;
    const ts_device *device;
    const char *top;  /* module */
    const char *core; /* module of the rings, with the ports of a ring or of a chain */
    uint64_t build;   /* of the design's manifest and of these options */
    double engine_mhz, bus_mhz;
    int bus_bits; /* of the streams: 32, 64, ... 512 */
    int rings, features, value_bits, outputs, max_tokens;
    bool paged, pooled, argmax, loads; /* loads: some memory has no initial contents */
    int paged_stages, page_lanes;      /* of all rings together */
    ts_ports ports;
    int buses;
    ts_bus bus[TS_BUS_MAX];
} ts_board;

typedef struct ts_board_options {
    int bus_bits;   /* 0: the narrowest that takes a hit and gives a result a cycle, at most 512 */
    double bus_mhz; /* 0: the engine's */
} ts_board_options;

/* The board of a design whose rings are all on one device. manifest: its text, which names the build. False with a message for others. */
bool ts_board_of(ts_arena *arena, const ts_system *system, const ts_device *device, const char *manifest, const ts_board_options *options,
                 ts_board *board, ts_err *err);

/* rtl/<top>.v, and tb/board.vh, what src/board/templates/board_tb.v must know. */
const char *ts_board_verilog(ts_arena *arena, const ts_board *board);
const char *ts_board_bench(ts_arena *arena, const ts_board *board);

#endif
