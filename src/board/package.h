/* A package: a design's hardware with a top for a board around it, and what other tools need to build or to drive it. A directory of its
   own, which needs the design no more. docs/boards.md. */
#ifndef TS_PACKAGE_H
#define TS_PACKAGE_H
#include "board/board.h"
#include "design/weights.h"

/* board/targets.def lists them. */
typedef enum {
#define TARGET(id, name, check, results, what) TS_PACKAGE_##id,
#include "board/targets.def"
#undef TARGET
    TS_PACKAGE_COUNT
} ts_package_target;
const char *ts_package_target_name(ts_package_target target);
const char *ts_package_target_what(ts_package_target target); /* what a package has for it */

typedef struct ts_package_options {
    ts_package_target target;
    const ts_weights *weights; /* that the bench loads between events, beside what else it does; NULL: none */
    bool status_by_target;     /* board.status_word as the target needs it */
    ts_board_options board;
} ts_package_options;

/* Of a design on several devices: device0/, device1/ ..., a package each, and a test bench of all of them with links between. *boards: what
   was packaged. False with a message where the design has no top for boards, `out` is somebody else's, or writing fails; nothing is left
   behind then. */
bool ts_package(ts_arena *arena, const ts_design *design, const ts_package_options *options, const char *out, ts_boards *boards,
                ts_err *err);

#endif
