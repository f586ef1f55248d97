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

/* A clock input of the top. The first two are always there; links have one each behind them. */
typedef struct ts_board_clock {
    const char *name;
    double mhz; /* that was planned for */
} ts_board_clock;

enum { TS_CLOCK_BUS, TS_CLOCK_ENGINE, TS_CLOCK_LINKS, TS_CLOCK_MAX = TS_CLOCK_LINKS + 2 };

typedef enum { TS_BUS_CONTROL, TS_BUS_HITS, TS_BUS_RESULTS, TS_BUS_PAGES, TS_BUS_LINK_IN, TS_BUS_LINK_OUT, TS_BUS_KINDS } ts_bus_kind;
const char *ts_bus_kind_name(ts_bus_kind kind); /* "control", "hits" ... */

/* An AXI interface of the top: AXI4-Lite for control, AXI4 reads for pages, AXI4-Stream for the others. */
typedef struct ts_bus {
    ts_bus_kind kind;
    const char *name; /* its signals begin with it and "_" */
    bool master;
    int data_bits, address_bits;
    int clock;  /* of the board's list */
    int number; /* of the link; of pages, the number of its loader; 0 otherwise */
} ts_bus;

/* A signal of an interface. */
typedef struct ts_bus_signal {
    const char *name; /* as AXI has it, in lower case: "awvalid", "tdata" */
    bool output;      /* of the top */
    int bits;
} ts_bus_signal;

enum { TS_LOADERS_MAX = 8, TS_BUS_MAX = 3 + TS_LOADERS_MAX + 4, TS_BUS_SIGNALS_MAX = 24 };

/* All signals of the interface, in the order in which the top has them; returns how many. */
int ts_bus_signals(const ts_bus *bus, ts_bus_signal signal[TS_BUS_SIGNALS_MAX]);

typedef struct ts_board {
    const ts_system *system;
    const ts_device *device;
    const char *top;  /* module */
    const char *core; /* module of the rings, with the ports of a ring or of a chain */
    uint64_t build;   /* of the design's manifest and of these options */
    int bus_bits;     /* of the streams of hits and results: 32, 64, ... 512 */
    int rings, features, value_bits, outputs, max_tokens;
    bool parity;                       /* some memory's words have it */
    bool paged, pooled, argmax, loads; /* loads: some memory has no initial contents */
    bool status_word;                  /* behind each event's results: rtl/ts_axis_out.v */
    int paged_stages, page_lanes;      /* of all rings together */
    long long next_writes;             /* of weights that its bench loads between events; 0: none */
    uint32_t next_crc;                 /* of register WEIGHT_CRC behind them */
    ts_ports ports;
    int clocks, buses;
    ts_board_clock clock[TS_CLOCK_MAX]; /* [clocks], TS_CLOCK_BUS ... */
    ts_bus bus[TS_BUS_MAX];             /* [buses] */
} ts_board;

typedef struct ts_board_options {
    int bus_bits;   /* 0: the narrowest that takes a hit and gives a result a cycle, at most 512 */
    double bus_mhz; /* 0: the engine's */
    bool status_word;
} ts_board_options;

/* The board of a design whose rings are all on one device. manifest: its text, which names the build. False with a message for others. */
bool ts_board_of(ts_arena *arena, const ts_system *system, const ts_device *device, const char *manifest, const ts_board_options *options,
                 ts_board *board, ts_err *err);

/* rtl/<top>.v, and tb/board.vh, what src/board/templates/board_tb.v must know. */
const char *ts_board_verilog(ts_arena *arena, const ts_board *board);
const char *ts_board_bench(ts_arena *arena, const ts_board *board);

#endif
