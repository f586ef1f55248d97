/* Target fusesoc: a core file. */
#include <string.h>

#include "base/text.h"
#include "board/package_target.h"

static void source(void *user, const char *name)
{
    fprintf(user, "      - %s\n", name);
}

/* Images of parts are below part<i>/. */
static void image(void *user, const char *name)
{
    if (strncmp(name, "rtl/", 4) != 0 && strstr(name, "mem/"))
        fprintf(user, "      - %s : {copyto : %s}\n", name, name);
}

bool ts_package_put_FUSESOC(const ts_packing *p)
{
    const char *top = p->board->top;
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f,
            "CAPI=2:\n# FuseSoC core of %s. Made by tessera.\nname: tessera:engines:%s:0.1.0\ndescription: %s on a board, AXI4-Stream and "
            "AXI4-Lite\n\nfilesets:\n"
            "  rtl:\n    file_type: verilogSource\n    files:\n",
            top, top, p->board->system->im->name);
    bool ok = ts_packing_files(p, "rtl/", source, f);
    fprintf(f, "  images:\n    file_type: user\n    files:\n");
    ok = ok && ts_packing_files(p, "", image, f);
    fprintf(f,
            "  bench:\n    file_type: verilogSource\n    files:\n      - tb/ring.vh : {is_include_file : true}\n      - tb/board.vh : "
            "{is_include_file : true}\n"
            "      - tb/registers.vh : {is_include_file : true}\n      - tb/ts_axis_check.v\n      - tb/ts_axil_check.v\n      - "
            "tb/ts_axi_stream_check.v\n      - tb/ts_axi_burst_check.v\n      - tb/ts_axi_read_check.v\n      - tb/ts_sim_memory.v\n      "
            "- tb/board_tb.v\n\n"
            "targets:\n  default: &default\n    filesets: [rtl, images]\n    toplevel: %s\n"
            "  sim:\n    <<: *default\n    filesets: [rtl, images, bench]\n    toplevel: tb\n    default_tool: icarus\n"
            "    tools:\n      icarus:\n        iverilog_options: [-g2005]\n"
            "  lint:\n    <<: *default\n    default_tool: verilator\n    tools:\n      verilator:\n        mode: lint-only\n",
            top);
    const char *whole = ts_text_close(&text, p->arena);
    return ok && ts_packing_text(p, ts_printf(p->arena, "%s.core", top), whole);
}
