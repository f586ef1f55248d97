/* A device as the library sees it: registers of 32 bits, a stream of events in, a stream of events out. Back ends make it; every function
   ends within the time that it is given, or within the device's `timeout`. Different functions of a device may run at the same time, each
   one in one thread at a time; `read` and `write` count as one. */
#ifndef TS_RUN_DEVICE_H
#define TS_RUN_DEVICE_H
#include "run/package.h"

typedef enum {
    TS_RUN_MOVED, /* all of it */
    TS_RUN_BUSY,  /* not now, nothing of it: to be asked again */
    TS_RUN_BROKEN /* with an error, and never again */
} ts_run_move;

/* Flags of a result, as TUSER has them. */
enum { TS_RUN_FLAG_REFUSED = 1, TS_RUN_FLAG_ERROR = 2 };

typedef struct ts_run_device ts_run_device;

typedef struct ts_run_device_kind {
    const char *name; /* "uio" */
    bool (*read)(ts_run_device *device, uint32_t address, uint32_t *value, tessera_error *error);
    bool (*write)(ts_run_device *device, uint32_t address, uint32_t value, tessera_error *error);
    /* One event, whole: bytes in slots. */
    ts_run_move (*send)(ts_run_device *device, const uint8_t *bytes, size_t size, tessera_error *error);
    /* One event's results, whole: *size of them, at most room, and flags. */
    ts_run_move (*take)(ts_run_device *device, uint8_t *bytes, size_t room, size_t *size, unsigned *flags, tessera_error *error);
    /* Until `take`, or `send` where it was BUSY, may go on; or without reason. */
    void (*wait)(ts_run_device *device, double seconds);
    /* Puts the image of a device's page loader into its external memory, in place of an older one. NULL: it has none. */
    bool (*place)(ts_run_device *device, int loader, const uint8_t *image, size_t size, size_t alignment, uint64_t *address,
                  tessera_error *error);
    /* Everything that is underway is thrown away, the device is as behind power-up. NULL: there is no way. */
    bool (*restart)(ts_run_device *device, tessera_error *error);
    /* Takes a file of weights by itself. NULL: they go through the weight window. */
    bool (*weights)(ts_run_device *device, const char *path, tessera_error *error);
    void (*close)(ts_run_device *device);
} ts_run_device_kind;

struct ts_run_device {
    const ts_run_device_kind *kind;
    int number;
    char name[96]; /* for messages: "device 1 (ultra96)" */
    double timeout;
    size_t most_in, most_out; /* bytes of an event, at most */
};

/* A register by the name that src/board/registers.def has for it: TS_RUN_REG_STATUS ... */
enum {
#define REGISTER(at, id, how, width, source, when, text) TS_RUN_REG_##id = (at),
#define FIELD(of, id, lsb, bits, text)
#define COUNTER(at, id, number, text) TS_RUN_REG_##id = (at),
#include "board/registers.def"
#undef REGISTER
#undef FIELD
#undef COUNTER
};

/* Bits of registers: TS_RUN_STATUS_IDLE ... */
enum {
#define REGISTER(at, id, how, width, source, when, text)
#define FIELD(of, id, lsb, bits, text) TS_RUN_##of##_##id = (int)(((1U << (bits)) - 1) << (lsb)),
#define COUNTER(at, id, number, text)
#include "board/registers.def"
#undef REGISTER
#undef FIELD
#undef COUNTER
};

/* "STATUS"; "register" for an address that has none. */
const char *ts_run_register_name(uint32_t address);

/* The same as the kind's, with the device and the register in the message. */
bool ts_run_read(ts_run_device *device, uint32_t address, uint32_t *value, tessera_error *error);
bool ts_run_write(ts_run_device *device, uint32_t address, uint32_t value, tessera_error *error);

/* 64 bits of a counter, as latched. */
bool ts_run_counter(ts_run_device *device, uint32_t address, uint64_t *value, tessera_error *error);

/* Nanoseconds of the monotonic clock; and a pause. */
int64_t ts_run_now(void);
void ts_run_pause(double seconds);

#endif
