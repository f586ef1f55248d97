/* Room for weights that come later: hardware is made with headroom above what its model needs, and another model's integers must find
   place in it. */
#ifndef TS_ROOM_H
#define TS_ROOM_H
#include "quant/imodel.h"

enum { TS_MARGIN_MAX = 8 };

typedef struct ts_room {
    int margin;                /* bits above what the model needs, of accumulators and of what their requantisation shares */
    const ts_imodel *hardware; /* the model that the hardware was made for, whose shifts are kept; NULL: shifts are chosen */
    int places, missing;       /* where it is too small, and by how many bits at most */
    char first[200];           /* the first of these, in words */
} ts_room;

static inline int ts_room_margin(const ts_room *room)
{
    return room ? room->margin : 0;
}

/* Notes a place where hardware is `bits` too small. Quantisation goes on, so that all places are found; ts_room_check tells of them. */
void ts_room_short(ts_room *room, int bits, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* False with the first place, the bits that are missing and the margin that a design of them needs; room may be NULL. */
bool ts_room_check(const ts_room *room, ts_err *err);

#endif
