/* Target vivado: synthesis and implementation out of context, IP-XACT, and a board's project. */
#include "base/text.h"
#include "board/package_target.h"
#include "board/platform.h"

static const char *clocks_xdc(ts_arena *arena, const ts_board *b)
{
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f, "# Clocks of %s, in nanoseconds. They are unrelated: paths between them have the constraints of the modules that cross.\n",
            b->top);
    for (int i = 0; i < b->clocks; i++)
        fprintf(f, "create_clock -name %s -period %.3f [get_ports %s]\n", b->clock[i].name, 1000 / b->clock[i].mhz, b->clock[i].name);
    fprintf(f, "set_false_path -from [get_ports aresetn]\n");
    return ts_text_close(&text, arena);
}

/* Out of context, and where the board has processors, a project with them, too. */
bool ts_package_put_VIVADO(const ts_packing *p)
{
    const ts_board *b = p->board;
    if (!ts_packing_text(p, "vivado/clocks.xdc", clocks_xdc(p->arena, b)) ||
        !ts_packing_text(p, "vivado/settings.tcl", ts_platform_settings(p->arena, b)) ||
        !ts_packing_text(p, "vivado/dies.tcl", ts_platform_dies(p->arena, b, false)) ||
        !ts_packing_template(p, "vivado_build.tcl", "vivado/build.tcl") || !ts_package_put_component(p))
        return false;
    return !b->device->board.processor || (ts_packing_template(p, "vivado_block_design.tcl", "vivado/block_design.tcl") &&
                                           ts_packing_template(p, "vivado_bitstream.tcl", "vivado/bitstream.tcl") &&
                                           ts_packing_text(p, "platform.json", ts_platform_json(p->arena, b)) &&
                                           ts_packing_text(p, ts_printf(p->arena, "%s_platform.h", b->top), ts_platform_c(p->arena, b)));
}
