/* Target yosys: a Makefile for open tools. */
#include <string.h>

#include "base/text.h"
#include "board/package_target.h"

/* The synthesis command of a family, and the file of Yosys' own cell models; NULL: it has none that simulate. On iCE40 and ECP5 without
   multiplier blocks: Yosys 0.23 leaves some of SB_MAC16's outputs undriven, and has no model of MULT18X18D; nor one of DP16KD, so ECP5's
   memories are LUT RAM. Hierarchy is kept: a module is mapped once. */
typedef struct family {
    const char *synth, *cells;
} family;

static family family_of(ts_arena *arena, const ts_device *device)
{
    if (ts_device_is_xilinx(device))
        return (family){ts_printf(arena, "synth_xilinx -family %s -noiopad -noclkbuf", device->yosys_family), "xilinx"};
    if (strcmp(device->yosys_family, "ice40") == 0)
        return (family){"synth_ice40 -noflatten", "ice40"};
    if (strcmp(device->yosys_family, "ecp5") == 0)
        return (family){"synth_ecp5 -noflatten -nobram -nodsp", "ecp5"};
    return (family){ts_printf(arena, "synth_%s", device->yosys_family), NULL};
}

static const char *makefile(ts_arena *arena, const ts_board *b)
{
    const family of = family_of(arena, b->device);
    /* What a memory should be made of is said for Xilinx; others have no LUT RAM, or another one. */
    const char *styles = ts_device_is_xilinx(b->device) ? "" : " proc; setattr -unset ram_style m:*;";
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f,
            "# %s with open tools. Made by tessera.\n"
            "#   make sim       the self-checking bench, two clocks, in Icarus Verilog\n"
            "#   make lint      Verilator's lint\n"
            "#   make synth     Yosys: netlist.json and stat.txt, family %s\n",
            b->top, b->device->yosys_family);
    if (of.cells)
        fprintf(f, "#   make sim-netlist   the same bench on the netlist, with Yosys' models of the family's cells\n");
    if (strcmp(b->device->yosys_family, "ecp5") == 0)
        fprintf(f, "#   make bitstream LPF=FILE   nextpnr-ecp5 and ecppack; LPF has the places of the pins (clocks are added)\n");
    fprintf(f,
            "TOP = %s\n"
            "SIM = +stalls=30 +bus=3700\n"
            "YOSYS = yosys\n"
            "CELLS = $(dir $(shell command -v $(YOSYS)))../share/yosys\n\n"
            "sim: tb.vvp\n\tvvp -n tb.vvp $(SIM) | tee sim.log\n\tgrep -q '^PASS' sim.log\n"
            "tb.vvp: $(wildcard rtl/*.v tb/*)\n\tiverilog -g2005 -y rtl -y tb -I tb -o $@ tb/board_tb.v\n"
            "lint:\n\tverilator --lint-only -Wall -Wno-DECLFILENAME -Wno-SYMRSVDWORD -Wno-WIDTHCONCAT -y rtl --top-module $(TOP) "
            "rtl/$(TOP).v\n"
            "synth: netlist.json\n"
            "netlist.json netlist.v &: $(wildcard rtl/*.v mem/*)\n"
            "\t$(YOSYS) -q -l yosys.log -p 'read_verilog -defer rtl/*.v; hierarchy -check -top $(TOP);%s %s -top $(TOP); "
            "tee -q -o stat.txt stat -top $(TOP); write_json netlist.json; write_verilog -noattr netlist.v'\n"
            "\t! grep 'Driver-driver conflict' yosys.log\n",
            b->top, styles, of.synth);
    if (of.cells)
        fprintf(f,
                "sim-netlist: netlist.vvp\n\tvvp -n netlist.vvp $(SIM) +passes=1 | tee sim-netlist.log\n\tgrep -q '^PASS' sim-netlist.log\n"
                "netlist.vvp: netlist.v $(wildcard tb/*)\n"
                "\tiverilog -g2012 -DNO_ICE40_DEFAULT_ASSIGNMENTS -y tb -I tb -I $(CELLS)/%s -o $@ tb/board_tb.v netlist.v "
                "$(CELLS)/%s/cells_sim.v\n",
                of.cells, of.cells);
    if (strcmp(b->device->yosys_family, "ecp5") == 0) {
        fprintf(f, "LPF = pins.lpf\nPNR = --85k --package CABGA756 --speed 8\n"
                   "bitstream: $(TOP).bit\n"
                   "$(TOP).config: netlist.json clocks.lpf $(LPF)\n\tcat $(LPF) clocks.lpf >all.lpf\n"
                   "\tnextpnr-ecp5 $(PNR) --json netlist.json --lpf all.lpf --textcfg $@\n"
                   "$(TOP).bit: $(TOP).config\n\tecppack $< $@\n"
                   "clocks.lpf:\n\tprintf '");
        for (int i = 0; i < b->clocks; i++)
            fprintf(f, "FREQUENCY PORT \"%s\" %.3f MHZ;\\n", b->clock[i].name, b->clock[i].mhz);
        fprintf(f, "' >$@\n");
    }
    fprintf(f, ".PHONY: sim lint synth%s bitstream\n", of.cells ? " sim-netlist" : "");
    return ts_text_close(&text, arena);
}

bool ts_package_put_YOSYS(const ts_packing *p)
{
    return ts_packing_text(p, "Makefile", makefile(p->arena, p->board));
}
