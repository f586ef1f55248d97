/* Tracking detectors as data: geometries/NAME.json (schema in docs/events.md), embedded in the library or read from a file. */
#ifndef TS_GEOMETRY_H
#define TS_GEOMETRY_H
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

/* A sensitive surface around the beam line, the z axis. */
typedef struct ts_surface {
    bool barrel;   /* a cylinder; otherwise a disk across the beam line */
    double at;     /* mm: the cylinder's radius, the disk's z */
    double lo, hi; /* mm: the cylinder's range of z, the disk's inner and outer radius */
    double gap;    /* mm, outwards (|at| grows): where the second of two overlapping modules is */
} ts_surface;

typedef struct ts_geometry {
    const char *name, *title, *source;
    int count;
    const ts_surface *surface; /* [count]: cylinders, then disks, in the file's order */
} ts_geometry;

/* A geometry by its name, or, where `name` ends in ".json" or holds a '/', from that file. NULL with a message that says what is wrong
   with the file, or lists the known geometries. */
const ts_geometry *ts_geometry_find(ts_arena *arena, const char *name, ts_err *err);

#endif
