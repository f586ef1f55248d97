/* tessera: a trained Transformer (ONNX) becomes FPGA hardware. This is the whole of the library's interface; the command line is written
   against it alone. docs/library.md has examples, docs/tessera.1 says what every option means. Long because it is all of that.

   Calls return a tessera_code and say in *error, where that is not NULL, what is wrong, where, and what to do. On success its code is
   TESSERA_OK. Nothing of the library ends the process or prints, and running out of memory is an error like others: what a call had made
   is given back, half-written files are gone, and the handles that it was given are as they were.

   Options and summaries begin with their size in bytes, which the caller sets (TESSERA_INIT does): a later version may append members.
   What is left zero or NULL has its default. Members of options are called by their names in messages, `max_tokens`; a front end that has
   other names for them says so (tessera_callbacks).

   Handles are freed by the function with their name, which takes NULL; text that a handle gives lives as long as the handle. Strings are
   UTF-8, paths are bytes. Hits of an event are tokens of the model.

   Threads: calls on different handles may run at the same time. One handle is for one call at a time, unless the call says otherwise.
   A call computes on as many threads as OpenMP gives it (OMP_NUM_THREADS). */
#ifndef TESSERA_H
#define TESSERA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TESSERA_VERSION_MAJOR 0
#define TESSERA_VERSION_MINOR 1
#define TESSERA_VERSION_PATCH 0
#define TESSERA_VERSION "0.1.0"

#if defined(__GNUC__)
#define TESSERA_API __attribute__((visibility("default")))
#else
#define TESSERA_API
#endif

/* Begins a structure with a size: tessera_source s = TESSERA_INIT(tessera_source); every other member is zero. */
#ifdef __cplusplus
template <class type> inline type tessera_init()
{
    type made = type();
    made.size = sizeof made;
    return made;
}
#define TESSERA_INIT(type) tessera_init<type>()
extern "C" {
#else
#define TESSERA_INIT(type) \
    { \
        .size = sizeof(type) \
    }
#endif

/* ---- Errors, warnings, progress */

/* The numbers are the command line's exit statuses, too. */
typedef enum tessera_code {
    TESSERA_OK = 0,
    TESSERA_FAILED = 1,        /* what has no code of its own */
    TESSERA_USAGE = 2,         /* options that contradict each other, or a value that is out of range */
                               /* 3 is no code: the command line ends with it where some events were refused */
    TESSERA_NO_FILE = 4,       /* a file or directory is not there or may not be read */
    TESSERA_BAD_FILE = 5,      /* it is there and is not what it should be: syntax, truncated, columns, values */
    TESSERA_UNSUPPORTED = 6,   /* the model is understood, but cannot be built */
    TESSERA_DOES_NOT_FIT = 7,  /* a device, a memory or a limit of time is too small */
    TESSERA_OUT_OF_MEMORY = 8, /* of this machine */
    TESSERA_NOT_WRITTEN = 9,   /* an output could not be written: disk full, no permission, somebody else's directory */
    TESSERA_DAMAGED = 10,      /* a compiled design that lacks files, was altered, or does not belong to its model */
    TESSERA_DIFFERS = 11,      /* hardware that is not what was promised: results differ, or what synthesis finds does */
    TESSERA_NO_TOOL = 12,      /* Verilator or Yosys is missing, or fails */
    TESSERA_INTERNAL = 13,     /* a bug in tessera: please report it */
    TESSERA_CANCELLED = 14,    /* the caller's wish (tessera_callbacks); the command line has no such status, nor these: */
    TESSERA_NOT_YET = 15,      /* of tessera_run.h: there was no room, or no result, in the time given: ask again */
    TESSERA_TIMED_OUT = 16,    /* a device did not do in its time what it should */
    TESSERA_NO_DEVICE = 17     /* a device is not there, is of another build, or answers with errors */
} tessera_code;

typedef struct tessera_error {
    tessera_code code;
    char message[1024]; /* one sentence, no line's end; "" where the code is TESSERA_OK */
} tessera_error;

/* "no such file"; never NULL. */
TESSERA_API const char *tessera_code_name(tessera_code code);

/* What a call does at the moment. */
typedef struct tessera_progress {
    size_t size;
    const char *step;         /* one that begins now, "calibrating on hits.csv"; NULL: the last one goes on; "": it is over */
    double fraction;          /* of the step that is done, 0 to 1; below 0: not known */
    int64_t events, expected; /* of a step that goes through events: done so far (-1: it does not), and in all (0: not known) */
} tessera_progress;

typedef enum tessera_message_kind {
    TESSERA_NOTE,   /* what was done, in case that it was not meant */
    TESSERA_WARNING /* what is likely to be wrong */
} tessera_message_kind;

/* Given to calls that take long, and heard on the thread of the call. Every member may be NULL. They must not call the library with the
   handles of the call, and must not leave by longjmp or an exception. */
typedef struct tessera_callbacks {
    size_t size;
    void *user;
    void (*message)(void *user, tessera_message_kind kind, const char *text); /* no line's end behind it; lists have further lines */
    void (*progress)(void *user, const tessera_progress *now);
    const char *(*option)(void *user, const char *member); /* the name for messages of a member of options; NULL: the member's own */
    bool (*cancel)(void *user); /* asked behind each message and progress; true: the call ends with TESSERA_CANCELLED, an error */
} tessera_callbacks;

/* "0.1.0", of the library that is there now. */
TESSERA_API const char *tessera_version(void);

/* Removes the files and directories that calls have not finished, which carry on in vain. For a signal handler, before it ends the
   process: takes no memory and no lock. A process that is killed leaves them; the next call that writes the same file removes them. */
TESSERA_API void tessera_remove_temporaries(void);

/* ---- Events */

/* Events in memory: their hits one after the other. */
typedef struct tessera_arrays {
    size_t size;
    int64_t events;
    int features;          /* values of a hit */
    const int32_t *hits;   /* [events]: of each event, >= 0 */
    const float *values;   /* [sum of hits][features], finite */
    const int64_t *id;     /* [events], no two the same, for messages and results; NULL: 0, 1, 2, ... */
    const int64_t *hit_id; /* [sum of hits], in an event no two the same; NULL: 0, 1, 2, ... in every event */
} tessera_arrays;

/* Where a call takes events from: exactly one of `events`, `samples` and `arrays`. Values are raw where there is an inputs file (a compiled
   design has its own): they become (value - mean) / std. Without one they go to the model as they are. */
typedef struct tessera_source {
    size_t size;
    const char *events;           /* a file: .npy [events][tokens][features], or CSV, a row a hit, with event_id and hit_id */
    const char *samples;          /* a file .npy [samples][...]: for models whose input has a fixed shape */
    const tessera_arrays *arrays; /* only read, until the call that takes the source returns */
    const char *inputs;  /* inputs file (JSON): which columns are inputs, mean, std, task; needed with CSV where no design has one */
    const char *lengths; /* .npy [events]: true tokens of .npy events */
    const char *mask;    /* .npy [events][tokens]: padding of .npy events, nonzero = padding */
    int limit;           /* only the first so many events; 0: all */
    bool standardised;   /* values are taken as they are in any case */
} tessera_source;

/* Events of a file as a model takes them: padding dropped, standardised. */
typedef struct tessera_events tessera_events;
typedef struct tessera_event {
    size_t size;
    int64_t id;
    int hits, features;
    const float *values;   /* [hits][features]; lives as long as the handle */
    const int64_t *hit_id; /* [hits] */
} tessera_event;

/* Reads all of `events` or `arrays`, with `inputs`, which is needed for CSV. */
TESSERA_API tessera_code tessera_events_read(const tessera_source *source, const tessera_callbacks *callbacks, tessera_events **events,
                                             tessera_error *error);
TESSERA_API int64_t tessera_events_count(const tessera_events *events);
/* False where there is no such event. Any number of threads. */
TESSERA_API bool tessera_events_get(const tessera_events *events, int64_t index, tessera_event *event);
TESSERA_API void tessera_events_free(tessera_events *events);

/* ---- What calls return */

/* What a call found, as text for people (the tables that the command prints) and as JSON for machines. */
typedef struct tessera_report tessera_report;
TESSERA_API const char *tessera_report_text(const tessera_report *report); /* lines, each with its end; may be "" */
TESSERA_API const char *tessera_report_json(const tessera_report *report); /* an object, where nothing else is said */
TESSERA_API void tessera_report_free(tessera_report *report);

/* ---- inspect: what a model computes, and whether it can be built */

typedef struct tessera_model tessera_model;

typedef struct tessera_model_info {
    size_t size;
    const char *name; /* of the file, without directory and extension; as all text here: as long as the model */
    int layers, width, heads, head_width, ff_width;
    int features, outputs;  /* values of a hit; values of a result */
    const char *activation; /* "relu", "gelu", ... of the FFN */
    const char *norm;       /* "last", "first", "around attention" */
    const char *pooling;    /* "none": a result a hit; "mean", "max", "first": one an event */
    const char *mask;       /* "none", "input", "data" */
    int64_t parameters;
    const char *samples; /* shape of the samples that it takes instead of events, "[samples][3][32][32]"; NULL: it takes events */
    bool whole; /* all of the model has hardware; otherwise the figures are those of the part that has, and the host computes the rest */
} tessera_model_info;

typedef struct tessera_model_options {
    size_t size;
    const char *path; /* .onnx; a pipe will do */
    bool graph;       /* the folded graph is wanted, also of a model that cannot be built */
} tessera_model_options;

/* Reads, folds and recognises a model. What is not supported is an error that names the node; with `graph`, *model comes back beside the
   error where the graph could be read, for tessera_model_graph and nothing else. Otherwise *model is NULL after errors. Warns of what is
   built differently from what the file says. */
TESSERA_API tessera_code tessera_model_open(const tessera_model_options *options, const tessera_callbacks *callbacks, tessera_model **model,
                                            tessera_error *error);
/* False where the model cannot be built. Any number of threads. */
TESSERA_API bool tessera_model_describe(const tessera_model *model, tessera_model_info *info);
TESSERA_API tessera_code tessera_model_report(const tessera_model *model, tessera_report **report, tessera_error *error);
/* The folded graph as text, a line a node. */
TESSERA_API tessera_code tessera_model_graph(const tessera_model *model, tessera_report **report, tessera_error *error);
TESSERA_API void tessera_model_free(tessera_model *model);

/* ---- devices */

/* The devices that the library knows; the JSON is a list. */
TESSERA_API tessera_code tessera_devices(tessera_report **report, tessera_error *error);

/* ---- compile: from a model to a directory of hardware */

typedef enum tessera_mode {
    TESSERA_MODE_AUTO,
    TESSERA_MODE_MONOLITHIC,
    TESSERA_MODE_REPLICATED,
    TESSERA_MODE_PAGED,
    TESSERA_MODE_SPLIT,
    TESSERA_MODE_ASSISTED
} tessera_mode;

typedef enum tessera_objective { TESSERA_LATENCY, TESSERA_THROUGHPUT, TESSERA_AREA } tessera_objective;

/* Which memories' words have a parity bit, which is checked when a token uses them; docs/boards.md. */
typedef enum tessera_parity { TESSERA_PARITY_PAGES, TESSERA_PARITY_NONE, TESSERA_PARITY_ALL } tessera_parity;

/* A way for data: bandwidth, in the unit that its member says, and latency; latency_ns below 0: the default. */
typedef struct tessera_way {
    double bandwidth, latency_ns;
} tessera_way;

typedef struct tessera_compile_options {
    size_t size;
    const char *model;            /* .onnx */
    const char *output;           /* the directory; appears whole or not at all, and only in place of an older design */
    const char *const *device;    /* [devices]: names (tessera_devices), or files ending in .json, in the order of the chain */
    int devices;                  /* 1 to 16 */
    tessera_mode mode;            /* docs/partitioning.md */
    tessera_objective objective;  /* what the planner prefers */
    const tessera_way *link;      /* between devices, Mbit/s (latency: 500 ns); NULL: the slower of two neighbours' own */
    const tessera_way *memory;    /* external memory of every device, GB/s (latency: the device's); NULL: 80 % of its peak */
    const tessera_way *host;      /* of assisted designs: to the host and back, Mbit/s (latency: the device's); NULL: the device's */
    const char *pin;              /* "STAGE=DEVICE,...": which device of the list has layers.2, layers.0.ffn, head; NULL: any */
    const char *hardware;         /* "FIRST[-LAST]", such as layers.2-4: the host does the rest; NULL: all that has hardware */
    const tessera_source *source; /* events that calibrate, and whose lengths are planned for */
    const char *formats;          /* NULL: 12 bits; "auto", "packed", "NAME=BITS,..." or a file; docs/quantisation.md */
    double loss;                  /* formats "auto": tracks found that may be lost, as a share (0.005) */
    int calibrate;                /* on the first so many events (20; fewer once they have 16,000 hits) */
    int select;                   /* "auto", "packed": choose by so many events (20) */
    int max_tokens;               /* longest event that the design takes (that of the events) */
    int plan_tokens;              /* plan for events of so many hits (the events' lengths) */
    int target_ii;                /* cycles a token and layer (the best that fits) */
    int page_buffers;             /* paged: of every paged stage, 1 or 2 (chosen for each) */
    double clock_mhz;             /* of the engine (the device's default) */
    double utilisation;           /* share of every resource that may be used (0.8) */
    bool logits;                  /* classifiers: all logits, not arg-max and its value */
    tessera_parity parity;        /* page buffers, no memory, or all memories of weights and parameters */
    int acc_margin;               /* headroom for weights that come later: bits of accumulators and what goes with them, 0 to 8 (0) */
} tessera_compile_options;

/* The report is that of the directory, report.json: predicted cycles and resources, what was weighed, what decided. report may be NULL. */
TESSERA_API tessera_code tessera_compile(const tessera_compile_options *options, const tessera_callbacks *callbacks,
                                         tessera_report **report, tessera_error *error);

/* ---- weights: another model for a design that is there */

typedef struct tessera_weights_options {
    size_t size;
    const char *model;            /* .onnx, of the same shape as the design's */
    const char *directory;        /* the design */
    const char *output;           /* the file, docs/weights.md */
    const tessera_source *source; /* events that calibrate; `inputs` where its inputs file is not the design's */
    int calibrate;                /* on the first so many events (as of tessera_compile) */
} tessera_weights_options;

/* The model's integers in the design's formats, with every accumulator proved again, as the words of its memories and pages.
   TESSERA_UNSUPPORTED where it has another shape, which names the first difference; TESSERA_DOES_NOT_FIT where the hardware is too narrow
   for it, which says by how much. report may be NULL. */
TESSERA_API tessera_code tessera_weights(const tessera_weights_options *options, const tessera_callbacks *callbacks,
                                         tessera_report **report, tessera_error *error);

/* ---- plan: a compiled design, opened */

typedef struct tessera_design tessera_design;

typedef struct tessera_design_info {
    size_t size;
    const char *model, *mode; /* its name; "monolithic", ..., as all text here: as long as the design */
    int parts;                /* rings in a chain */
    int features, outputs;
    bool pooled;      /* one result an event */
    bool argmax;      /* the hardware puts out the class and its value, not all logits */
    bool assisted;    /* the host computes a part of the model */
    int max_tokens;   /* more hits are refused */
    int plan_tokens;  /* what it was planned for */
    double clock_mhz; /* of the engine */
} tessera_design_info;

typedef struct tessera_prediction {
    size_t size;
    int tokens;
    int64_t latency_cycles;         /* of a lone event: from its last hit in to its last result out */
    int64_t total_cycles;           /* of a lone event: from its first hit in to its last result out */
    int64_t interval_cycles;        /* of equal events back to back */
    double latency_us, interval_us; /* at clock_mhz */
} tessera_prediction;

/* Loads DIR and verifies its plan: TESSERA_DAMAGED where it is not sound. */
TESSERA_API tessera_code tessera_design_open(const char *directory, tessera_design **design, tessera_error *error);
TESSERA_API bool tessera_design_describe(const tessera_design *design, tessera_design_info *info);
/* Events of `tokens` hits, 1 to max_tokens; 0: plan_tokens. */
TESSERA_API tessera_code tessera_design_predict(const tessera_design *design, int tokens, tessera_prediction *prediction,
                                                tessera_error *error);
/* The same with resources, part by part, what was weighed and what decided. */
TESSERA_API tessera_code tessera_design_report(const tessera_design *design, int tokens, const tessera_callbacks *callbacks,
                                               tessera_report **report, tessera_error *error);
/* What it is made of, as text: the ring of a part, 0 to parts - 1, its nodes and streams; -1: rings and what is between them. A line a
 * node.
 */
TESSERA_API tessera_code tessera_design_ring(const tessera_design *design, int part, tessera_report **report, tessera_error *error);
TESSERA_API void tessera_design_free(tessera_design *design);

/* ---- engines: a model on events in memory */

typedef enum tessera_engine_kind {
    TESSERA_FLOAT,   /* the model as the file writes it, in single precision; directory or .onnx */
    TESSERA_INTEGER, /* the integer model: bit for bit what the hardware gives; directory */
    TESSERA_RTL      /* the hardware, simulated; only of tessera_run */
} tessera_engine_kind;

typedef struct tessera_engine tessera_engine;

typedef struct tessera_engine_options {
    size_t size;
    tessera_engine_kind kind;
    const char *path;    /* a directory that tessera_compile made, or, for TESSERA_FLOAT, a model */
    const char *inputs;  /* inputs file of a model; NULL: a directory's own; without one values go to the model as they are */
    bool standardised;   /* values are taken as they are in any case */
    const char *weights; /* of TESSERA_INTEGER: a file of tessera_weights, instead of the design's own; NULL */
} tessera_engine_options;

typedef struct tessera_engine_info {
    size_t size;
    int features, outputs;
    bool pooled;    /* one row of results an event instead of one a hit */
    int max_tokens; /* longer events are refused; 0: none are */
    /* Of the integer engine, 0 otherwise: what goes into the hardware and comes out, which in an assisted design is not what the model's
       events and results are. */
    int word_features, word_outputs;
    bool word_pooled;
    int input_bits, output_bits; /* formats of words */
    bool input_signed, output_signed;
} tessera_engine_info;

TESSERA_API tessera_code tessera_engine_open(const tessera_engine_options *options, const tessera_callbacks *callbacks,
                                             tessera_engine **engine, tessera_error *error);
TESSERA_API bool tessera_engine_describe(const tessera_engine *engine, tessera_engine_info *info);

/* Rows of results that events of such lengths have: [sum of hits], or [events] where pooled; -1 where they are no events. */
TESSERA_API int64_t tessera_engine_rows(const tessera_engine *engine, const tessera_arrays *events);

/* results: [tessera_engine_rows][outputs], real values, in the order of the hits; of the integer engine exactly word * scale. Rows of
   refused events are NaN. refused: [events], or NULL; how many they are is no error but *refused_count, where that is not NULL. Any number
   of threads may run one engine. */
TESSERA_API tessera_code tessera_engine_run(const tessera_engine *engine, const tessera_arrays *events, double *results, bool *refused,
                                            int64_t *refused_count, tessera_error *error);

/* The integer engine's words as they go into the hardware and come out of it, without the host's share of an assisted design:
   words in [sum of hits][word_features], within input_bits; out [sum of hits, or events where word_pooled][word_outputs], zeros for
   refused events. Any number of threads. */
TESSERA_API tessera_code tessera_engine_run_words(const tessera_engine *engine, int64_t events, const int32_t *hits, const int32_t *in,
                                                  int32_t *out, tessera_error *error);
/* Words from real values and real values from words: [rows][word_features] and [rows][word_outputs]. Real values are standardised
   ones. */
TESSERA_API tessera_code tessera_engine_to_words(const tessera_engine *engine, int64_t rows, const float *values, int32_t *words,
                                                 tessera_error *error);
TESSERA_API tessera_code tessera_engine_from_words(const tessera_engine *engine, int64_t rows, const int32_t *words, double *values,
                                                   tessera_error *error);

/* The host's share of an event of an assisted design around the hardware; of any other design the same as the two above.
   front: words of the tokens that the hardware takes, [*tokens][word_features], or NULL, for their number alone; values: standardised,
   [hits][features], or a sample of a fixed shape (hits is then 1). back: results as tessera_engine_run has them, from the words that the
   hardware gave, [*tokens, or 1 where word_pooled][word_outputs]. Any number of threads. */
TESSERA_API tessera_code tessera_engine_front(const tessera_engine *engine, int32_t hits, const float *values, int32_t *tokens,
                                              int32_t *words, tessera_error *error);
TESSERA_API tessera_code tessera_engine_back(const tessera_engine *engine, int32_t hits, const float *values, const int32_t *words,
                                             double *results, tessera_error *error);
TESSERA_API void tessera_engine_free(tessera_engine *engine);

/* ---- run: events through an engine into a results file */

typedef struct tessera_run_options {
    size_t size;
    const char *path; /* as of an engine; TESSERA_RTL wants a directory */
    tessera_engine_kind engine;
    const tessera_source *source;
    const char *output;  /* CSV: event_id,hit_id,<outputs>, in the order of the events */
    const char *trace;   /* a directory: every stage of the first event, float beside integer (and hardware); NULL: none */
    bool logits;         /* classifiers: all logits, not the class and its value */
    const char *weights; /* of a directory: a file of tessera_weights, instead of the design's own; NULL */
} tessera_run_options;

/* Events that were refused, having more hits than the design takes. */
typedef struct tessera_run_summary {
    size_t size;
    int64_t events, refused;
} tessera_run_summary;

/* Memory does not grow with the file of events, but for TESSERA_RTL. summary and report may be NULL. That all events were refused is an
   error, TESSERA_DOES_NOT_FIT. */
TESSERA_API tessera_code tessera_run(const tessera_run_options *options, const tessera_callbacks *callbacks, tessera_run_summary *summary,
                                     tessera_report **report, tessera_error *error);

/* ---- simulate: events through the generated hardware, every word compared with the integer model */

typedef enum tessera_link_fault { TESSERA_LINK_SOUND, TESSERA_LINK_FLIP, TESSERA_LINK_DROP, TESSERA_LINK_HOLD } tessera_link_fault;
typedef enum tessera_page_fault {
    TESSERA_PAGE_SOUND,
    TESSERA_PAGE_LATE,
    TESSERA_PAGE_FLIP,
    TESSERA_PAGE_FLIP_ALWAYS,
    TESSERA_PAGE_ERROR
} tessera_page_fault;

typedef struct tessera_simulate_options {
    size_t size;
    const char *directory;
    const tessera_source *source;
    int stalls;                    /* random pauses of hits and results, percent, 0 to 99 */
    int link_stalls;               /* of the links between devices, 0 to 99 */
    int memory_stalls;             /* of the external memory that pages are in, 0 to 95 */
    tessera_link_fault link_fault; /* of word link_word on link_wire, 2 i: part i to i + 1, 2 i + 1: back */
    int link_wire, link_word;
    tessera_page_fault page_fault; /* of page page_number of part page_part */
    int page_part, page_number;
    int page_late;   /* cycles, up to 1e8; 0: 10,000 */
    bool part_stall; /* part stall_part stands still for stall_cycles (0: 10,000) once it has given stall_transfer results */
    int stall_part, stall_transfer, stall_cycles;
    int seed;            /* of the pauses */
    bool lone;           /* each event waits until the one before has left */
    bool bus;            /* assisted designs: at the pace of the host's bus */
    bool load;           /* all weights are written at run time before the first event */
    const char *weights; /* a file of tessera_weights: loaded once the first `after` events have left; NULL: none */
    int after;           /* so many of the source's events see the design's own weights, the others the file's (0: none) */
} tessera_simulate_options;

typedef struct tessera_simulation {
    size_t size;
    int64_t events;            /* of the source */
    int64_t refused, flagged;  /* having too many hits; damaged on the way by a fault */
    int64_t words, mismatches; /* output words compared, and those that differ */
    int64_t cycles;            /* from the first hit taken to the last result given */
    double interval_cycles;    /* mean distance of events' last results */
    bool bit_exact;            /* every word of every event is there and equal */
} tessera_simulation;

/* TESSERA_DIFFERS where it is not bit_exact; simulation and report, which may be NULL, are filled in then, too. Figures go to the
   directory's report.json. Needs Verilator; what it builds stays in the directory for the next call. */
TESSERA_API tessera_code tessera_simulate(const tessera_simulate_options *options, const tessera_callbacks *callbacks,
                                          tessera_simulation *simulation, tessera_report **report, tessera_error *error);

/* ---- profile: what integer formats do to each tensor */

typedef struct tessera_profile_options {
    size_t size;
    const char *directory;
    const tessera_source *source; /* limit 0: the first 20 events */
    bool all;                     /* the report's text has all tensors, not the worst twenty */
} tessera_profile_options;

TESSERA_API tessera_code tessera_profile(const tessera_profile_options *options, const tessera_callbacks *callbacks,
                                         tessera_report **report, tessera_error *error);

/* ---- score: results as tracks, against the truth */

/* Results in memory, as tessera_engine_run makes them. */
typedef struct tessera_results {
    size_t size;
    const tessera_arrays *events; /* their hits and ids are those of the truth; values are not looked at */
    int outputs;
    const double *values; /* [sum of hits][outputs]; finite, but for events that were refused */
    const bool *refused;  /* [events]: has no results; NULL: all have */
} tessera_results;

/* One thing to score: exactly one of `file`, `results` and `baseline`. */
typedef struct tessera_score_item {
    size_t size;
    const char *label; /* NULL: the file's name, or what the baseline is */
    const char *file;  /* that tessera_run wrote */
    const tessera_results *results;
    const char *baseline; /* no model, for comparison: "angles", "truth", "binned" or "classes" (docs/scores.md) */
    const char *inputs;   /* the model's inputs file; NULL: from the file's header; all of `results` are clustered; of a baseline: that of
                             any other item */
} tessera_score_item;

typedef struct tessera_score_options {
    size_t size;
    const tessera_score_item *item;    /* [items], which all have the same size */
    int items;                         /* 1 to 64 */
    const tessera_score_item *against; /* to compare with, hit by hit and event by event; NULL: nothing */
    const char *truth;                 /* CSV of the events, with particle_id and weight */
    bool subset;                       /* only the events that all results have */
} tessera_score_options;

/* A mean over events and its standard error; NaN where there are too few events for it. */
typedef struct tessera_estimate {
    double mean, error;
} tessera_estimate;

/* Candidates of an item, made one way, and how good they are. */
typedef struct tessera_score_row {
    size_t size;
    const char *label;    /* lives as long as the scores */
    int item;             /* which one; -1: that of `against` */
    int min_cluster_size; /* of HDBSCAN; 0: candidates are the hits of a class */
    int min_samples;      /* of HDBSCAN */
    int columns, outputs; /* so many of the outputs are clustered */
    int events;           /* that have something to find */
    int ignored;          /* hits in classes that are no tracks */
    tessera_estimate trackml, perfect, double_majority, lhc;
    bool compared; /* with results of `against` that were made the same way; then: */
    tessera_estimate trackml_loss, perfect_loss, double_majority_loss, lhc_loss; /* paired by event */
    double median_difference, p95_difference; /* of outputs, over their spread in `against`; NaN where logits are missing */
    double same_class;                        /* share of hits; NaN where there are no classes */
} tessera_score_row;

typedef struct tessera_scores tessera_scores;

/* What the candidates of a row are, of one event. */
typedef struct tessera_candidates {
    size_t size;
    int64_t id; /* of the event */
    int hits;
    const int64_t *hit_id;      /* [hits], in the order of the truth; this and the others live as long as the scores */
    const int64_t *particle_id; /* [hits]; 0: of no particle */
    const int32_t *candidate;   /* [hits]: hits with the same number >= 0 are one candidate, -1: of none; NULL: the event is not scored */
} tessera_candidates;

/* scores and report may be NULL. Rows of `against` come first. */
TESSERA_API tessera_code tessera_score(const tessera_score_options *options, const tessera_callbacks *callbacks, tessera_scores **scores,
                                       tessera_report **report, tessera_error *error);
TESSERA_API int tessera_scores_count(const tessera_scores *scores);
/* False where there is no such row. Any number of threads. */
TESSERA_API bool tessera_scores_get(const tessera_scores *scores, int index, tessera_score_row *row);
/* Events of the truth, in its order, and what a row (of tessera_scores_count) makes of one; false where there is no such row or event. Any
   number of threads. */
TESSERA_API int tessera_scores_events(const tessera_scores *scores);
TESSERA_API bool tessera_scores_candidates(const tessera_scores *scores, int index, int event, tessera_candidates *candidates);
TESSERA_API void tessera_scores_free(tessera_scores *scores);

/* ---- synth: a design through Yosys, its resources beside the predicted ones */

/* TESSERA_DIFFERS where there are latches, products outside of DSPs, or paths longer than promised; the report is there then, too. */
TESSERA_API tessera_code tessera_synth(const char *directory, const tessera_callbacks *callbacks, tessera_report **report,
                                       tessera_error *error);

/* ---- package: a design with a top for a board around it, AXI and all */

/* What a package has beside Verilog, images, test bench and register tables. */
typedef enum tessera_target {
    TESSERA_TARGET_RTL,     /* nothing */
    TESSERA_TARGET_YOSYS,   /* a Makefile: simulation, lint, synthesis */
    TESSERA_TARGET_FUSESOC, /* a .core file */
    TESSERA_TARGET_VIVADO,  /* component.xml (IP-XACT), scripts; for a board with processors a project to a bitstream */
    TESSERA_TARGET_VITIS,   /* a kernel for an Alveo card, kernels that move events, and how they are linked */
    TESSERA_TARGET_PYNQ     /* what VIVADO has, an overlay of it, and a Python module that uses it */
} tessera_target;

/* Where an event's {error, refused} is in the stream of results. */
typedef enum tessera_status {
    TESSERA_STATUS_AUTO,  /* as the target needs it: a word where there is a DMA (PYNQ, Vitis, block designs) */
    TESSERA_STATUS_TUSER, /* TUSER of its last word */
    TESSERA_STATUS_WORD   /* a word of its own behind each event, and TUSER: what is only written to memory has no TUSER */
} tessera_status;

typedef struct tessera_package_options {
    size_t size;
    const char *directory; /* of a design, or of a part of one; of several devices the package has a directory each */
    const char *output;    /* the package's directory; appears whole or not at all, and only in place of an older package or design */
    tessera_target target;
    int bus_bits;   /* of the streams of hits and results, 32, 64, ... 512 (the narrowest that takes a hit and gives a result a cycle) */
    double bus_mhz; /* of the buses' clock (the engine's) */
    tessera_status status;
    const char *weights; /* a file of tessera_weights, which the package's bench loads between events; NULL: none */
} tessera_package_options;

/* What a target is called, and what a package has for it; NULL for what is no target, so that they can be listed from 0 on. */
TESSERA_API const char *tessera_target_name(tessera_target target);
TESSERA_API const char *tessera_target_what(tessera_target target);

/* docs/boards.md says what is in it. report may be NULL. */
TESSERA_API tessera_code tessera_package(const tessera_package_options *options, const tessera_callbacks *callbacks,
                                         tessera_report **report, tessera_error *error);

/* ---- export: the integer model of a design as source code that needs nothing else */

typedef enum tessera_export_target {
    TESSERA_EXPORT_C /* one .c and one .h, C99 and C++11 */
} tessera_export_target;

typedef enum tessera_export_wrapper {
    TESSERA_WRAPPER_NONE,
    TESSERA_WRAPPER_CMS /* NAME_emulator.cpp, a class that CMS's trigger emulation loads from a shared library */
} tessera_export_wrapper;

typedef struct tessera_export_options {
    size_t size;
    const char *directory; /* of a design, in any mode; of an assisted one what is exported is the hardware's share */
    const char *output;    /* a directory, made where it is not there; files of these names that tessera has not made are refused */
    tessera_export_target target;
    const char *name; /* of files, functions and types, an identifier; NULL: the model's */
    tessera_export_wrapper wrapper;
} tessera_export_options;

/* docs/exported-c.md says what is in it. report may be NULL. */
TESSERA_API tessera_code tessera_export(const tessera_export_options *options, const tessera_callbacks *callbacks, tessera_report **report,
                                        tessera_error *error);

/* ---- events of a simulated tracking detector, with truth */

typedef struct tessera_generate_options {
    size_t size;
    const char *output; /* CSV */
    int events;
    int tracks_least, tracks_most; /* of an event, 1 to 1000, uniform */
    int seed, first_event;         /* the same give the same bytes everywhere */
    const char *geometry;          /* "trackml-like" (NULL), "redvid-like" or a file ending in .json */
    double field;                  /* tesla, along z */
    double noise;                  /* noise hits for every hit of a track */
    double efficiency;             /* share of crossings that make a hit */
    double overlap;                /* share of hits doubled by an overlapping module */
    double smear_um;               /* resolution, micrometres, each way */
} tessera_generate_options;

/* Fills in the defaults of all but output, events and tracks: here zero is a value. */
TESSERA_API void tessera_generate_defaults(tessera_generate_options *options);
TESSERA_API tessera_code tessera_generate(const tessera_generate_options *options, const tessera_callbacks *callbacks,
                                          tessera_report **report, tessera_error *error);

#ifdef __cplusplus
}
#endif

#endif
