#define TS_FAIL_CODE TS_DOES_NOT_FIT
#include "quant/room.h"

#include <stdarg.h>

void ts_room_short(ts_room *room, int bits, const char *fmt, ...)
{
    CHECK(bits > 0);
    if (room->places++ == 0) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(room->first, sizeof room->first, fmt, ap);
        va_end(ap);
    }
    room->missing = bits > room->missing ? bits : room->missing;
}

bool ts_room_check(const ts_room *room, ts_err *err)
{
    if (!room || room->places == 0)
        return true;
    char more[80] = "";
    if (room->places > 1)
        snprintf(more, sizeof more, ", and so it is in %d more place%s", room->places - 1, room->places > 2 ? "s" : "");
    const int margin = room->hardware->acc_margin + room->missing;
    if (margin > TS_MARGIN_MAX)
        return ts_fail(
            err,
            "%s%s: the hardware is up to %d bits too small for these weights, more than a margin (%s, at most %d) gives: compile "
            "them as a design of their own",
            room->first, more, room->missing, ts_option("acc_margin"), TS_MARGIN_MAX);
    return ts_fail(err, "%s%s: the hardware is up to %d bit%s too small for these weights; compile the design again with %s %d",
                   room->first, more, room->missing, room->missing > 1 ? "s" : "", ts_option("acc_margin"), margin);
}
