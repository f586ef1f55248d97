/* Target pynq: the board's project as an overlay, and a module of Python that uses it. */
#include "board/package_target.h"

bool ts_package_check_processors(const ts_board *b, ts_err *err)
{
    return ts_package_check_xilinx(b, err) &&
           (b->device->board.processor ||
            ts_fail_as(err, TS_USAGE, "%s: an overlay is for a board with processors, and the file of %s has no \"board\"",
                       ts_option("target"), b->device->title)) &&
           (b->clocks <= TS_CLOCK_LINKS ||
            ts_fail_as(
                err, TS_UNSUPPORTED,
                "%s: %s has links to other devices, and the overlay's module runs one board: package it for vivado, and use the host "
                "library",
                ts_option("target"), b->top)) &&
           (b->status_word || ts_fail_as(err, TS_USAGE, "%s: a DMA's memory has no TUSER: it must be a word", ts_option("status")));
}

bool ts_package_put_PYNQ(const ts_packing *p)
{
    return ts_package_put_VIVADO(p) && ts_packing_template(p, "pynq_overlay.tcl", "pynq/overlay.tcl") &&
           ts_packing_template(p, "pynq_engine.py", "pynq/engine.py");
}
