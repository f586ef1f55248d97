/* What a host needs to know of a package, and src/run reads: member "run" of its manifest. docs/host.md lists it. */
#ifndef TS_BOARD_RUN_JSON_H
#define TS_BOARD_RUN_JSON_H
#include <jansson.h>

#include "board/package_target.h"

enum { TS_RUN_VERSION = 1 };

/* Of a design on the boards of a list, first device first; directory: of each one's own package, below the whole ("." where they are one).
   New reference; NULL with a message where the design's inputs file cannot be read. */
typedef struct ts_run_board {
    const ts_board *board;
    const char *directory;
} ts_run_board;
json_t *ts_run_json(ts_arena *arena, const ts_design *design, const ts_run_board *boards, int count, ts_err *err);

/* Copies what the integer model needs of the design, and nothing of its hardware, into the package: emulator/ is a design without hardware.
 */
bool ts_run_put_emulator(const ts_packing *p);

/* What is built into a library of the simulated devices, for back end "sim", by make -f tb/sim_library.mk. */
bool ts_run_put_simulation(const ts_packing *p, const ts_boards *boards);

#endif
