/* Runs an emitted design in Verilator and compares every word of its output with the integer model. */
#ifndef TS_SIMULATE_H
#define TS_SIMULATE_H
#include "design/weights.h"

/* A stage's values of one event in one layer, captured from the RTL: as ts_emu_tap, with what the model has beside it.
   rtl, model: [rows][cols]; model is NULL where the emulator has no such tensor. */
typedef void (*ts_sim_tap)(void *user, int event, int layer, ts_role role, int part, const char *label, int rows, int cols,
                           const int32_t *rtl, const int32_t *model);

/* What befalls one word on a link: its event must come out flagged, all others as they are. */
typedef enum { TS_LINK_SOUND, TS_LINK_FLIP, TS_LINK_DROP, TS_LINK_HOLD } ts_link_fault_kind;
typedef struct ts_link_fault {
    ts_link_fault_kind kind; /* a bit turns over; the word is lost; the link stands still for hold_cycles in front of it */
    int wire;                /* 2 * i: from part i to part i + 1; 2 * i + 1: back */
    int word;                /* of those that are sent there, from 0 */
    int hold_cycles;
} ts_link_fault;

/* What befalls one page on its way from external memory. Late or flipped once, every result is right; flipped whenever it is read, or read
   with errors, its event must come out flagged, all others as they are. */
typedef enum { TS_PAGE_SOUND, TS_PAGE_LATE, TS_PAGE_FLIP, TS_PAGE_FLIP_ALWAYS, TS_PAGE_ERROR } ts_page_fault_kind;
typedef struct ts_page_fault {
    ts_page_fault_kind kind;
    int part; /* whose memory; 0 of a single ring */
    int page; /* of those that it gives, from 0, through all events */
    int late_cycles;
} ts_page_fault;

/* A part of a chain that stands still for `cycles` once it has given transfer `transfer` (from 0, through all events): everything is late
   and right. */
typedef struct ts_part_stall {
    int part, transfer, cycles; /* cycles = 0: none does */
} ts_part_stall;

enum { TS_SIM_WAIT_MAX = 100000000 }; /* late_cycles and cycles at most */

typedef struct ts_sim_options {
    int events;
    const int *n;            /* hits of each event, >= 1; more than the design's n_max: refused by the hardware */
    const int32_t *const *x; /* [events], [n][features], in the input's format */
    int stall_percent;       /* pauses of both streams */
    int link_percent;        /* pauses of the links between devices: cycles in which nothing can be sent */
    ts_link_fault link_fault;
    int memory_percent; /* pauses of the external memories of paged rings */
    ts_page_fault page_fault;
    ts_part_stall part_stall;
    double token_cycles, row_cycles; /* between tokens that a host's bus brings, and results that it fetches; 0: nothing is in the way */
    uint64_t seed;                   /* of the pauses and of random initial values */
    bool lone;                       /* one event at a time: lone latencies; otherwise back to back */
    const ts_weights *weights;       /* loaded once the first `after` events have left: the others are theirs, x and results; or NULL */
    int after;
    bool load;                                      /* page memories are written over the configuration bus first, all of them */
    bool random_init;                               /* registers and memories without an image start at random values, else at zero */
    int jobs;                                       /* of make; 0: the processors of the machine */
    void (*progress)(void *user, const char *step); /* "building the simulator", "simulating"; may be NULL */
    void *progress_user;
    ts_sim_tap tap; /* not NULL: inner streams are captured (a build of its own); overlong events are left out */
    void *tap_user;
} ts_sim_options;

/* Residual tokens of an event between two parts: cycles at which the next part took the first and the last one. */
typedef struct ts_sim_cut {
    long long first, last;
} ts_sim_cut;

typedef struct ts_sim_event {
    int tokens;
    bool refused, error; /* error: flagged as damaged on the way; its words are not compared */
    int rows;            /* of y: tokens, 1 where pooled, 0 where refused */
    const int32_t *y;    /* [rows][outputs], or [rows][2] of {value, class} with arg-max */
    long long mismatches;
    /* Cycles: first hit offered; first and last hit accepted; first and last result taken. */
    long long offered, first_in, last_in, first_out, last_out;
    const ts_sim_cut *cut; /* [parts - 1]; of no meaning where refused */
} ts_sim_event;

/* What a paged stage lost. */
typedef struct ts_sim_paged {
    int part;
    ts_lin_id lin;
    long long stalls; /* cycles in which a token waited for its page although the stage would have taken it */
    bool late;        /* one wait was longer than the plan explains */
} ts_sim_paged;

typedef struct ts_sim_result {
    int events, refused, flagged;
    ts_sim_event *event;             /* [events] */
    long long words, mismatches;     /* output words compared, and those that differ */
    bool bit_exact;                  /* events > 0, every word of every event there and equal */
    const char *difference;          /* the first difference of the outputs, in words; NULL where there is none */
    const char *trace_difference;    /* the first stage whose values differ (tap != NULL), in words; NULL where there is none */
    long long cycles;                /* from the first hit accepted to the last result taken */
    double interval_cycles;          /* mean distance of the last results of events that were not refused; 0 with fewer than two */
    double mac_utilisation;          /* MACs of the processed events / (MAC units * cycles) */
    int cuts;                        /* parts - 1 */
    const long long *blocked;        /* [cuts]: cycles in which a token waited at the next part's entry */
    int paged;                       /* stages with page buffers, of all parts */
    const ts_sim_paged *paged_stage; /* [paged] */
    int *pages_again;                /* [parts]: pages that were fetched again */
    bool *gave_up;                   /* [parts]: some page was used although it was bad */
    bool rebuilt;                    /* the simulator had to be built */
    double build_seconds, run_seconds;
} ts_sim_result;

/* Cycles from the last hit accepted to the last result taken. */
static inline long long ts_sim_latency(const ts_sim_event *event)
{
    return event->last_out - event->last_in;
}

/* False with a message where the design cannot be read, the simulator cannot be built (with the end of its log), or the engine is
   stuck (with a diagnosis). Words that differ are a result, not an error. Builds are kept in DIR/sim and used again while the
   design's Verilog, the harness and the flags are the same. */
bool ts_simulate(ts_arena *arena, const ts_design *design, const ts_sim_options *opt, ts_sim_result *result, ts_err *err);

#endif
