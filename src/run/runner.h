/* A handle: slots for events, which go through the devices in order, and who moves them.

   Nobody but callers moves anything. Two roles, `sending` and `taking`, each held by one call at a time and only while it is inside of a
   device, without the lock: whoever waits takes a role that is free. `halted`: a call that has the devices to itself keeps both from being
   taken. */
#ifndef TS_RUN_RUNNER_H
#define TS_RUN_RUNNER_H
#include <pthread.h>

#include "run/backend.h"
#include "run/format.h"

typedef enum {
    TS_RUN_FREE,
    TS_RUN_FILLING, /* by the call that submits it */
    TS_RUN_QUEUED,
    TS_RUN_SENT,   /* it is in the devices */
    TS_RUN_HERE,   /* its result, or the lack of it */
    TS_RUN_LEAVING /* to the call that waits for it */
} ts_run_state;

typedef struct ts_run_slot {
    ts_run_state state;
    uint64_t number;
    void *user;
    int32_t hits;                  /* of the caller */
    int64_t tokens;                /* of the hardware */
    const ts_run_numbers *numbers; /* by which its values mean something */
    float *values;                 /* of the caller, standardised: what the host's share reads again; NULL: nothing does */
    size_t room;                   /* of them */
    bool shared;                   /* the host's share belongs to it: it was not submitted as words */
    uint8_t *in, *out;
    size_t in_size, out_size;
    tessera_run_status status;
    int64_t submitted, sent, here; /* nanoseconds */
    struct ts_run_slot *next;      /* submitted behind it */
} ts_run_slot;

struct tessera_runner {
    ts_run_package package;
    ts_run_library library;
    tessera_engine *engine; /* of an assisted design */
    char *backend;
    int devices;
    ts_run_device *device[TS_RUN_DEVICES];
    int depth;
    double timeout;
    char *weights; /* that are loaded again behind a hard reset; NULL: none */

    pthread_mutex_t control; /* one call at a time has registers; taken before `lock` */

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    bool sending, taking, halted;
    bool loading; /* weights: no event is taken until they are there */
    bool broken;  /* a hang was found, or an error: `failure` says so; nothing moves until a reset */
    tessera_error failure, lost_to;
    ts_run_slot *slot;         /* [depth] */
    ts_run_slot *first, *last; /* submitted and not yet gone, in order */
    uint64_t next;             /* number of the next event */
    int inside;                /* events that the devices were given and have not given back, also those that are lost */
    int64_t moved;             /* when something came last, or a device became ready */
    int64_t send_since;        /* since when the first queued event is not taken; 0: it was not offered */
    uint64_t taken, lost, resets, timeouts, results;
    double latency_sum, latency_worst;
};

/* ---- moving; with the lock held, which is given away meanwhile */

/* Moves what goes without waiting, or waits for `until` (nanoseconds) at most, or for a change. Finds hangs. */
void ts_run_move_some(tessera_runner *runner, int64_t until);

/* Sends what the devices take now. */
void ts_run_send_some(tessera_runner *runner);

/* The first submitted event in that state; NULL: there is none. */
ts_run_slot *ts_run_first(const tessera_runner *runner, ts_run_state state);

/* Waits for `changed`, until then at most. */
void ts_run_wait_changed(tessera_runner *runner, int64_t until);

/* A result of that event has come into its buffer; false, with an error: it is none of such an event. */
bool ts_run_arrived(tessera_runner *runner, ts_run_slot *slot, size_t size, unsigned flags, tessera_error *error);

/* Nothing moves from now on: all that is not here is lost. */
void ts_run_break(tessera_runner *runner, const tessera_error *why);

/* ---- both roles and the registers for one call; without the lock */

bool ts_run_halt(tessera_runner *runner, int64_t until, tessera_error *error); /* false: the lock of registers is not held */
void ts_run_go_on(tessera_runner *runner);

/* Waits until nothing is inside, taking results; halted. false, TESSERA_TIMED_OUT: something stays. */
bool ts_run_drain(tessera_runner *runner, int64_t until, tessera_error *error);

/* From any state to one in which events may be sent; halted. */
bool ts_run_start(tessera_runner *runner, int64_t until, tessera_error *error); /* devices that were found, or were reset hard */
bool ts_run_soft_reset(tessera_runner *runner, int64_t until, tessera_error *error);

/* What a device has to say for itself: "; device 0 (zcu102): STATUS 0x01 at 0x048 ..." behind the message. */
void ts_run_describe_hang(tessera_runner *runner, tessera_error *error);

/* Pages of a device: its loaders stop; an image is put in its place, and its loader told; they begin anew, behind a reset that forgets what
   is in buffers. Nothing where it has none. */
bool ts_run_stop_pages(const tessera_runner *runner, ts_run_device *device, int64_t until, tessera_error *error);
bool ts_run_place_pages(const tessera_runner *runner, ts_run_device *device, int loader, const uint8_t *image, size_t size,
                        tessera_error *error);
bool ts_run_start_pages(const tessera_runner *runner, ts_run_device *device, int64_t until, tessera_error *error);

/* Writes a file of weights through the weight windows; halted, nothing inside. */
bool ts_run_write_weights(tessera_runner *runner, const char *path, int64_t until, tessera_error *error);

/* Nanoseconds at which a call of so many seconds ends. */
int64_t ts_run_until(const tessera_runner *runner, double seconds);

/* ---- a handle, step by step: tests have devices of their own */

/* Options as tessera_run_open completes them. */
bool ts_run_make(tessera_runner *runner, const tessera_run_open_options *options, tessera_error *error);

/* Buffers of all slots, of the sizes that the devices say. */
bool ts_run_make_room(tessera_runner *runner, tessera_error *error);

/* Finds out whether devices that were opened are of the package, and starts them. */
bool ts_run_open_with(tessera_runner *runner, tessera_error *error);

/* All of it, with its devices, however far it came. */
void ts_run_destroy(tessera_runner *runner);

#endif
