/* Target yosys: a Makefile for open tools. */
#include "base/text.h"
#include "board/package_target.h"

static const char *makefile(ts_arena *arena, const ts_board *b)
{
    return ts_printf(
        arena,
        "# %s with open tools. Made by tessera.\n"
        "#   make sim       the self-checking bench, two clocks, in Icarus Verilog\n"
        "#   make lint      Verilator's lint\n"
        "#   make synth     Yosys: netlist.json and stat.txt, family %s\n"
        "TOP = %s\n"
        "SIM = +stalls=30 +bus=3700\n\n"
        "sim: tb.vvp\n\tvvp -n tb.vvp $(SIM) | tee sim.log\n\tgrep -q '^PASS' sim.log\n"
        "tb.vvp: $(wildcard rtl/*.v tb/*)\n\tiverilog -g2005 -y rtl -y tb -I tb -o $@ tb/board_tb.v\n"
        "lint:\n\tverilator --lint-only -Wall -Wno-DECLFILENAME -Wno-SYMRSVDWORD -Wno-WIDTHCONCAT -y rtl --top-module $(TOP) rtl/$(TOP).v\n"
        "synth: netlist.json\n"
        "netlist.json: $(wildcard rtl/*.v)\n"
        "\tyosys -q -p 'read_verilog -defer rtl/*.v; hierarchy -check -top $(TOP); synth_xilinx -family %s -noiopad -noclkbuf -top "
        "$(TOP); tee -q -o stat.txt stat; write_json netlist.json'\n"
        ".PHONY: sim lint synth\n",
        b->top, b->device->yosys_family, b->top, b->device->yosys_family);
}

bool ts_package_put_YOSYS(const ts_packing *p)
{
    return ts_packing_text(p, "Makefile", makefile(p->arena, p->board));
}
