/* Target vivado: synthesis and implementation out of context. Commands and options as UG835 (v2022.2) has them. */
#include "base/text.h"
#include "board/package_target.h"

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

static const char *build_tcl(ts_arena *arena, const ts_board *b)
{
    return ts_printf(arena,
                     "# Out-of-context synthesis and implementation of %s; made by tessera. From the package's directory:\n"
                     "#     vivado -mode batch -source vivado/build.tcl\n"
                     "# Reports and a checkpoint go to vivado/out. Never run by those who made it: no Vivado was there.\n"
                     "set out vivado/out\n"
                     "file mkdir $out\n"
                     "read_verilog [glob rtl/*.v]\n"
                     "read_xdc -mode out_of_context vivado/clocks.xdc\n"
                     "synth_design -top %s -part %s -mode out_of_context\n"
                     "foreach constraints {ts_async_fifo ts_sync ts_reset} { source rtl/$constraints.xdc.tcl }\n"
                     "report_utilization -hierarchical -file $out/utilization_synth.rpt\n"
                     "opt_design\n"
                     "place_design\n"
                     "phys_opt_design\n"
                     "route_design\n"
                     "report_timing_summary -max_paths 20 -file $out/timing.rpt\n"
                     "report_utilization -hierarchical -file $out/utilization.rpt\n"
                     "report_cdc -details -file $out/cdc.rpt\n"
                     "report_methodology -file $out/methodology.rpt\n"
                     "write_checkpoint -force $out/%s.dcp\n"
                     "set slack [get_property SLACK [get_timing_paths -max_paths 1 -nworst 1 -setup]]\n"
                     "puts \"worst slack: $slack ns\"\n"
                     "if {$slack < 0} { exit 1 }\n",
                     b->top, b->top, b->device->part, b->top);
}

/* The memory images are found from the directory that Vivado is started in. */
bool ts_package_put_VIVADO(const ts_packing *p)
{
    return ts_packing_text(p, "vivado/clocks.xdc", clocks_xdc(p->arena, p->board)) &&
           ts_packing_text(p, "vivado/build.tcl", build_tcl(p->arena, p->board)) && ts_package_put_component(p);
}
