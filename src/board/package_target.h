/* What a target of a package is, and what its writers work with. A new one: a row of board/targets.def, its function in a file of its own,
   and a name in tessera.h. */
#ifndef TS_PACKAGE_TARGET_H
#define TS_PACKAGE_TARGET_H
#include <jansson.h>

#include "board/registers.h"
#include "design/weights.h"

/* A package that is being made. */
typedef struct ts_packing {
    ts_arena *arena;
    const ts_design *design;
    const ts_board *board;
    const ts_registers *registers;
    const char *dir; /* where it is made */
    ts_err *err;
} ts_packing;

/* A new file, `name` below the package's directory; directories above it are made. */
bool ts_packing_put(const ts_packing *p, const char *name, const void *data, size_t size);
bool ts_packing_text(const ts_packing *p, const char *name, const char *text);

/* A template of src/board/templates as the file `name`. */
bool ts_packing_template(const ts_packing *p, const char *template_name, const char *name);

/* Calls each(user, name) for every file that is in the package now and whose name begins with `folder`, in order. */
typedef void ts_packing_file(void *user, const char *name);
bool ts_packing_files(const ts_packing *p, const char *folder, ts_packing_file *each, void *user);

/* What tb/board_tb.v needs to load other weights between events: mem/next.hex, what is expected then, pages. */
bool ts_package_put_next(const ts_packing *p, const ts_weights *weights);

/* component.xml, of all that is there already, and what Vivado needs beside it. */
bool ts_package_put_component(const ts_packing *p);

/* ---- Checks of targets: false, with a message, where the board is none for it; before anything is written */

bool ts_package_check_any(const ts_board *board, ts_err *err);
bool ts_package_check_processors(const ts_board *board, ts_err *err);
bool ts_package_check_card(const ts_board *board, ts_err *err);
bool ts_package_check_xilinx(const ts_board *board, ts_err *err);

/* ---- Writers: what the target has beside the sources, which are there already */

#define TARGET(id, name, check, results, what) bool ts_package_put_##id(const ts_packing *p);
#include "board/targets.def"
#undef TARGET

/* ---- Of several devices: what stands beside their packages in `dir` */

bool ts_package_put_system(ts_arena *arena, const ts_design *design, const ts_boards *boards, const char *dir, ts_err *err);

#endif
