/* Devices are data: devices/NAME.json (docs/devices.md), embedded in the library or read from a file. */
#ifndef TS_DEVICE_H
#define TS_DEVICE_H
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

enum { TS_BOARD_PARTS = 4, TS_CARD_BANKS = 32 };

/* What a device has, what a design needs, what a synthesis found: always in these units. */
#define TS_RESOURCES(X) \
    X(lut, "LUT") \
    X(ff, "FF") \
    X(dsp, "DSP") \
    X(bram36, "BRAM36") \
    X(uram, "URAM")
typedef struct ts_resources {
    double lut, ff, dsp, bram36, uram; /* bram36: RAMB36 + RAMB18/2 */
    double
        lutram; /* how many of the LUTs are memory or shift registers: predicted, and limited, but not what a synthesis is compared with */
} ts_resources;

/* What a design may not have too much of. */
#define TS_LIMITS(X) \
    TS_RESOURCES(X) \
    X(lutram, "LUT RAM")

/* A board with processors beside the logic, as its vendor's tool knows it. */
typedef struct ts_device_board {
    const char *processor; /* "zynq_ultra_ps_e" or "processing_system7": the vendor's block of it; NULL: the device has none */
    int parts;
    const char *part[TS_BOARD_PARTS]; /* names of the board without a version, of its revisions, the preferred one first */
    const char *connections;          /* "CONNECTOR BOARD:CONNECTOR" of a module on a carrier; NULL otherwise */
} ts_device_board;

/* An accelerator card in a host, and the platform that its kernels are linked to. */
typedef struct ts_device_card {
    const char *platform; /* NULL: the device is none */
    const char *memory;   /* "HBM" or "DDR": the kind of its banks */
    int banks;
    int die[TS_CARD_BANKS]; /* [banks] which die a bank is at */
} ts_device_card;

typedef struct ts_device {
    const char *name, *title, *part, *source;
    const char *yosys_family; /* "xcup", "xcu", "xc7", "versal" (which Yosys does not know), "ecp5" or "ice40" */
    ts_resources has;         /* what a design may use: all of it, less what a shell keeps */
    ts_resources whole;       /* with the shell's part */
    const char *shell;        /* whose part that is; NULL: there is none */
    double lutram; /* LUTs that can be memory; where there are none, memories are made of registers, and has.lutram is no limit */
    const char *dsp_kind;
    int dsp_a, dsp_b; /* bits of a signed product's factors */
    double dsp_mhz;   /* fastest clock that its DSPs take; 0: the file does not say */
    const char *bram_kind;
    int bram_kbit;              /* of one block, parity included */
    int slr;                    /* dies */
    const ts_resources *die;    /* [slr] what each has, a shell's part included */
    double clock_mhz;           /* default of --clock */
    double memory_gbytes_per_s; /* external memory, 0 without one */
    double memory_ns;           /* from an address to its first word; 0: not stated */
    double link_mbits, link_ns; /* default of --link; 0: the file says nothing */
    int links;                  /* such ports on the board; 0: the file does not say */
    const char *text;           /* of the user's file that it was read from; NULL: built in */
    double host_mbits, host_ns; /* its host's bus, each way: bandwidth, latency; 0: the file does not say */
    const char *host;           /* what that bus is */
    ts_device_board board;
    ts_device_card card;
} ts_device;

/* A device by its name, or, where `name` ends in ".json" or holds a '/', from that file. NULL with a message that lists the known
   devices. */
const ts_device *ts_device_find(ts_arena *arena, const char *name, ts_err *err);

/* The embedded devices in order of their names; *count of them. */
const ts_device *const *ts_device_list(ts_arena *arena, int *count);

/* True for AMD's devices that Yosys knows: 7 series, UltraScale, UltraScale+. */
bool ts_device_is_xilinx(const ts_device *device);

/* True for UltraScale, UltraScale+ and Versal: LUT RAM by slices of eight LUTs, DSPs that keep their own registers. */
bool ts_device_is_ultrascale(const ts_device *device);

/* The fewest dies that together have what a design needs when at most `cap` of each may be used; they are taken in the file's order. */
int ts_device_dies(const ts_device *device, const ts_resources *need, double cap);

/* False, with a message, where the device's DSPs do not take this clock. */
bool ts_device_takes_clock(const ts_device *device, double clock_mhz, ts_err *err);

/* Whether one DSP of the device makes two products at once: a shared factor of shared_bits, and a pair of signed factors of pair_bits
   each with a symmetric range (never -2^(pair_bits-1)), one above the other in the DSP's wide factor (docs/hardware.md, rtl/ts_mul2.v).
   A stage of a ring is asked with the widest formats of its layers. */
bool ts_dsp_packs(const ts_device *device, int shared_bits, bool shared_signed, int pair_bits);

/* The largest share of the device that any resource takes, and its name. Needing what the device has none of is infinite. */
double ts_device_load(const ts_device *device, const ts_resources *need, const char **resource);

#endif
