/* libtessera-run: events through a compiled design's hardware, on a board, simulated, or emulated: the same calls, the same bits. The
   library is small, needs nothing but the C library, and has nothing of the compiler in it; docs/host.md tells how it is used.

       tessera_run_open      a package (tessera_package) on devices that are there
       tessera_run_submit    an event goes in: real values or words; its number comes back
       tessera_run_wait      a result comes out: of that event, or of whichever is done
       tessera_run_reset     back to work after a time-out

   Codes, errors, structures with a size: as in tessera.h, which this header needs for them and nothing else.

   Threads: any number of threads may call any function with one handle at the same time, but for open and close. The library has no threads
   of its own: what moves, moves inside of calls. Every call ends: times are seconds of a clock that nobody sets, 0 does not wait, and a
   negative one stands for the handle's own (tessera_run_open_options.timeout). */
#ifndef TESSERA_RUN_H
#define TESSERA_RUN_H

#include <tessera/tessera.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tessera_runner tessera_runner;

/* ---- Opening */

/* What is asked of libtessera, by the emulator and for the host's share of assisted designs: a program that is linked with it hands its
   functions over, so that no library is looked for: tessera_run_compiler linked = TESSERA_RUN_LINKED; */
typedef struct tessera_run_compiler {
    size_t size;
    tessera_code (*engine_open)(const tessera_engine_options *options, const tessera_callbacks *callbacks, tessera_engine **engine,
                                tessera_error *error);
    void (*engine_free)(tessera_engine *engine);
    tessera_code (*run_words)(const tessera_engine *engine, int64_t events, const int32_t *hits, const int32_t *in, int32_t *out,
                              tessera_error *error);
    tessera_code (*front)(const tessera_engine *engine, int32_t hits, const float *values, int32_t *tokens, int32_t *words,
                          tessera_error *error);
    tessera_code (*back)(const tessera_engine *engine, int32_t hits, const float *values, const int32_t *words, double *results,
                         tessera_error *error);
} tessera_run_compiler;
#define TESSERA_RUN_LINKED \
    { \
        sizeof(tessera_run_compiler), tessera_engine_open, tessera_engine_free, tessera_engine_run_words, tessera_engine_front, \
            tessera_engine_back \
    }

typedef struct tessera_run_open_options {
    size_t size;
    const char *package; /* directory that tessera_package made */
    /* How its devices are reached, KIND or KIND:ARGUMENTS; of several devices one each with ';' in between, first device first, or one for
       all. "emulator": the integer model, by libtessera; "emulator:DIR": of the compiled design DIR and not of the package's copy. "sim" or
       "sim:KEY=N,...": the simulated hardware, through its AXI ports, as `make sim-library` builds it. "uio:CONTROL,...": a Zynq's devices
       below /dev. "xrt:CARD": a card below XRT. docs/host.md has the arguments. */
    const char *backend;
    int depth;                          /* events that are submitted and whose results nobody has taken yet, at most (16) */
    double timeout;                     /* seconds within which a device does what it is asked, and an event comes out of it (10) */
    const char *weights;                /* a file of weights that is loaded before the first event; NULL: those that are built in */
    const char *compiler;               /* libtessera, for the emulator and assisted designs (NULL: "libtessera.so.0") */
    const tessera_run_compiler *linked; /* in place of it */
} tessera_run_open_options;

/* Finds the devices, checks that they are of the package's build, resets them, loads what is to be loaded. TESSERA_NO_FILE, _BAD_FILE: the
   package; TESSERA_NO_DEVICE: what is there is not what the package says, or does not answer. */
TESSERA_API tessera_code tessera_run_open(const tessera_run_open_options *options, tessera_runner **runner, tessera_error *error);

typedef struct tessera_run_info {
    size_t size;
    const char *model, *backend; /* as all text here: as long as the handle */
    int devices;
    int features; /* values of a hit; 0: an event is a sample of a fixed shape of `sample` values */
    int64_t sample;
    const char *const *column;       /* [features]: names of detector columns; NULL: nobody has named them */
    int outputs;                     /* values of a row of results */
    const char *const *output;       /* [outputs]: their names; NULL: nobody has named them */
    bool pooled;                     /* one row an event instead of one a hit */
    bool argmax;                     /* a row is {value, class} */
    bool assisted;                   /* the host computes a part, inside submit and wait */
    int max_tokens;                  /* of the hardware; an event of more is refused */
    int word_features, word_outputs; /* integers of a hit and of a row of the hardware, which are others where a design is assisted */
    int input_bits;                  /* of such an integer that goes in: two's complement, +-(2^(input_bits - 1) - 1) */
    int depth;
    double timeout;
} tessera_run_info;
TESSERA_API bool tessera_run_describe(const tessera_runner *runner, tessera_run_info *info);

/* What is still inside is lost; devices are left reset where that can be done. NULL will do. No other call may be under way. */
TESSERA_API void tessera_run_close(tessera_runner *runner);

/* ---- Events */

/* Exactly one of `values`, `columns` and `words`. They are read before submit returns. */
typedef struct tessera_run_event {
    size_t size;
    int32_t hits;                 /* >= 1; of samples of a fixed shape: 1 */
    const float *values;          /* [hits][features], or [sample] */
    const double *const *columns; /* [features][hits]: detector columns, in the order of info.column */
    const int32_t *words;         /* [hits][word_features]: as the hardware takes them, without the host's share */
    bool standardised;            /* values and columns are taken as they are, not as (value - mean) / std of the package's inputs */
    void *user;                   /* comes back with the result */
} tessera_run_event;

/* *number, which may be NULL: 0, 1, 2 ... in the order of submission. Waits for room for `seconds`; TESSERA_NOT_YET where there is none by
   then. A handle whose device hangs refuses events with the error that was met, until tessera_run_reset. */
TESSERA_API tessera_code tessera_run_submit(tessera_runner *runner, const tessera_run_event *event, double seconds, uint64_t *number,
                                            tessera_error *error);

typedef enum tessera_run_status {
    TESSERA_RUN_DONE,    /* rows are there */
    TESSERA_RUN_REFUSED, /* the event has too many hits for the hardware: there are no rows */
    TESSERA_RUN_DAMAGED, /* on a link, by a page, by a memory: the rows are not to be trusted */
    TESSERA_RUN_LOST     /* it did not come out of a device that hung, or was inside when it was reset: no rows */
} tessera_run_status;

typedef struct tessera_run_result {
    size_t size;
    /* Set by the caller: */
    double *values; /* [room][outputs] real values of rows, or NULL */
    int32_t *words; /* [room][word_outputs] integers of rows as the hardware gives them, or NULL */
    int64_t room;   /* rows that both have place for */
    /* Set by the call: */
    uint64_t number;
    void *user;
    tessera_run_status status;
    int64_t rows;    /* hits, or 1 where pooled; 0 where refused or lost */
    int64_t latency; /* nanoseconds between the last submitted value and the result, as the library saw them */
} tessera_run_result;

#define TESSERA_RUN_NEXT UINT64_MAX

/* The result of event `number`, or, TESSERA_RUN_NEXT, of the first one that is done, which then is no longer the handle's. TESSERA_NOT_YET
   where `seconds` did not suffice: nothing is lost. Of a lost event: the code of what was met, TESSERA_TIMED_OUT for instance, with its
   number and TESSERA_RUN_LOST in *result. TESSERA_USAGE: no such event, taken already, or too little room, for `rows` (it stays). */
TESSERA_API tessera_code tessera_run_wait(tessera_runner *runner, uint64_t number, double seconds, tessera_run_result *result,
                                          tessera_error *error);

/* Moves what can be moved without waiting. How many events are done and wait to be taken; *inside, which may be NULL: how many are not. */
TESSERA_API int tessera_run_poll(tessera_runner *runner, int *inside);

/* ---- Control */

/* Events that are in devices come out, as they would, and then their rings are reset (a soft reset: loaded weights stay); events that are
   in none yet go on behind it. After a time-out, when all is lost: what still comes out is thrown away, and what does not come back is
   reset hard where the back end can. An error means that the devices are not ready, and says what is left to do; submit repeats it. */
TESSERA_API tessera_code tessera_run_reset(tessera_runner *runner, double seconds, tessera_error *error);

/* Waits until no event is inside, then writes the file's memories and checks them. Events that are submitted meanwhile wait. */
TESSERA_API tessera_code tessera_run_load(tessera_runner *runner, const char *weights, tessera_error *error);

/* Counters of a device, latched in the same cycle (docs/boards.md), and what the handle counted. */
typedef struct tessera_run_counters {
    size_t size;
    uint64_t events, refused, errors;   /* that have left the device since its power-up */
    uint64_t stall_in, stall_out;       /* cycles in which a hit waited for the rings, a result for its taker */
    uint64_t event_cycles, cycles;      /* of the last event; since power-up */
    uint32_t status;                    /* register STATUS */
    uint64_t submitted, taken, lost;    /* events of the handle */
    uint64_t resets, timeouts;          /* of the handle */
    double latency_mean, latency_worst; /* seconds, of results since it was opened */
} tessera_run_counters;
TESSERA_API tessera_code tessera_run_statistics(tessera_runner *runner, int device, tessera_run_counters *counters, tessera_error *error);

/* A register of a device, by its address in bytes: for bringing up boards. */
TESSERA_API tessera_code tessera_run_read(tessera_runner *runner, int device, uint32_t address, uint32_t *value, tessera_error *error);
TESSERA_API tessera_code tessera_run_write(tessera_runner *runner, int device, uint32_t address, uint32_t value, tessera_error *error);

/* As tessera_code_name and tessera_version, without libtessera. */
TESSERA_API const char *tessera_run_code_name(tessera_code code);
TESSERA_API const char *tessera_run_version(void);

#ifdef __cplusplus
}
#endif

#endif
