/* The top of one device of a design, as it goes onto a board: the device's rings in the engine clock, AXI on the bus clock around them,
   links to the devices beside it in clocks of their own. A value, from which the Verilog, the registers and the files for other tools are
   made. docs/boards.md draws it.

       aclk (bus clock)                                        engine_clk
       s_axi_control  -> ts_axil --- ts_async_fifo, both ways --- registers, counters, ts_drain
       s_axis_hits    -> ts_axis_in  - ts_async_fifo -----------> rings       (the first device)
       m_axis_results <- ts_axis_out - ts_async_fifo ------------<-           (the last device)
       m_axi_pages    <- ts_axi_read_cross                       <- pager, one each
       interrupt      <- ts_sync                                 <- registers
       link<n>_clk: s_axis_link<n>, m_axis_link<n>, link<n>_up -- ts_link_io -- rings (towards the device before, the device behind) */
#ifndef TS_BOARD_H
#define TS_BOARD_H
#include "emit/system.h"

/* A clock input of the top. The first two are always there; links have one each behind them. */
typedef struct ts_board_clock {
    const char *name;
    double mhz; /* that was planned for */
} ts_board_clock;

enum { TS_CLOCK_BUS, TS_CLOCK_ENGINE, TS_CLOCK_LINKS, TS_LINKS_MAX = 2, TS_CLOCK_MAX = TS_CLOCK_LINKS + TS_LINKS_MAX };

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

enum { TS_LOADERS_MAX = 8, TS_BUS_MAX = 3 + TS_LOADERS_MAX + 2 * TS_LINKS_MAX, TS_BUS_SIGNALS_MAX = 24 };

/* All signals of the interface, in the order in which the top has them; returns how many. */
int ts_bus_signals(const ts_bus *bus, ts_bus_signal signal[TS_BUS_SIGNALS_MAX]);

/* An end of a link: tokens come from the device before this one, or go to the next. */
typedef struct ts_board_link {
    bool sends;
    int token_bits;
    ts_link way;         /* in cycles of its clock, which has a word each */
    int peer, peer_link; /* the board at the other end, and which link of it this is */
} ts_board_link;

/* A page loader: a ring with pages in external memory. */
typedef struct ts_board_loader {
    int ring; /* of the device */
    int lanes, stages;
    const char *bus;       /* name of its interface */
    const char *registers; /* what its registers' signals begin with: "page", "page1" ... */
} ts_board_loader;

typedef struct ts_board {
    const ts_system *system; /* the rings of this device */
    const ts_device *device;
    int number, first_ring;         /* of the design's boards; of the design's rings */
    const char *top;                /* module */
    const char *core;               /* module of the rings, with the ports of a ring or of a chain */
    uint64_t build;                 /* of the design's manifest and of these options */
    int bus_bits;                   /* of the streams of hits and results: 32, 64, ... 512; 0 where there is none of them */
    bool takes_hits, gives_results; /* the first device; the last one */
    int rings, features, value_bits, outputs, max_tokens;
    bool parity;                       /* some memory's words have it */
    bool paged, pooled, argmax, loads; /* loads: some memory has no initial contents */
    bool status_word;                  /* behind each event's results: rtl/ts_axis_out.v */
    long long next_writes;             /* of weights that its bench loads between events; 0: none */
    uint32_t next_crc;                 /* of register WEIGHT_CRC behind them */
    ts_ports ports;
    int clocks, buses, links, loaders;
    ts_board_link link[TS_LINKS_MAX];       /* [links], in the order of the chain */
    ts_board_loader loader[TS_LOADERS_MAX]; /* [loaders] */
    ts_board_clock clock[TS_CLOCK_MAX];     /* [clocks], TS_CLOCK_BUS ... */
    ts_bus bus[TS_BUS_MAX];                 /* [buses] */
} ts_board;

typedef struct ts_board_options {
    int bus_bits;   /* 0: the narrowest that takes a hit and gives a result a cycle, at most 512 */
    double bus_mhz; /* 0: the engine's */
    bool status_word;
} ts_board_options;

/* The boards of a design, one a device, in the order of the chain. */
typedef struct ts_boards {
    const ts_system *system; /* all of it */
    int count;
    ts_board *board; /* [count] */
} ts_boards;

/* device: [system->rings], of each ring. manifest: its text, which names the build. False with a message where a device has no top: its
   rings do not follow each other, or too many of them have pages; or the options are none. */
bool ts_boards_of(ts_arena *arena, const ts_system *system, const ts_device *const *device, const char *manifest,
                  const ts_board_options *options, ts_boards *boards, ts_err *err);

/* Parameters of the ends of a link. */
ts_link_ends ts_board_link_ends(const ts_board_link *link);

/* rtl/<top>.v; tb/<top>_sim.v, the top with models of the external memories that its pages are in; tb/board.vh, what
   src/board/templates/board_tb.v must know. */
const char *ts_board_verilog(ts_arena *arena, const ts_board *board);
const char *ts_board_simulated(ts_arena *arena, const ts_board *board);
const char *ts_board_bench(ts_arena *arena, const ts_board *board);

/* Of several boards: tb/devices.v, all of them with modelled links between them; tb/devices.vh, what
   src/board/templates/system_tb.v must know. */
const char *ts_boards_verilog(ts_arena *arena, const ts_boards *boards);
const char *ts_boards_bench(ts_arena *arena, const ts_boards *boards);

#endif
