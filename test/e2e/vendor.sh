#!/usr/bin/env bash
# Packages for vendors' tools, of every board and card that has more than Verilog: XML against schemas and the sources, Tcl against what the guides say of
# commands, options and blocks; and the faults that those checks are for are noticed. No vendor's tool is here. Usage: vendor.sh
set -uo pipefail
cd "$(dirname "$0")/../.."
tessera=$PWD/${TESSERA:-build/tessera} here=$PWD/test/e2e registers=$PWD/src/board/registers.def
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
printf '%s\n' '{"inputs": [{"column": "a"}, {"column": "b"}, {"column": "c"}], "task": "regression", "outputs": ["u", "v"]}' >"$scratch/abc.json"
awk 'BEGIN { print "event_id,hit_id,a,b,c"
    for (e = 0; e < 3; e++) for (h = 0; h < 5 + 17 * e; h++) { k = 31 * e + 7 * h
        print e "," h "," (k * 13 % 97) / 32 - 1.5 "," (k * 29 % 89) / 32 - 1.25 "," (k * 53 % 101) / 32 - 1.75 } }' >"$scratch/abc.csv"
small=(test/models/torch_pre.onnx --events "$scratch/abc.csv" --inputs "$scratch/abc.json" --max-tokens 24 --target-ii 40)
seeded=(models/seeded.onnx --events models/seeded.csv --inputs models/seeded.inputs.json --max-tokens 24)
passed=0 failed=0

check() { # WHAT COMMAND...
    local what=$1
    shift
    if (set -e; "$@") >"$scratch/log" 2>&1; then passed=$((passed + 1)); echo "ok      $what: $(tail -n 1 "$scratch/log")"; else
        failed=$((failed + 1)); echo "FAILED  $what"; tail -n 15 "$scratch/log"
    fi
}
package=zcu102-vivado
noticed() { # WHAT TEXT FILE SED SCRIPT [ARGUMENTS]: a copy of the package with a fault in FILE; SCRIPT says TEXT
    local what=$1 text=$2 file=$3 fault=$4
    shift 4
    rm -rf "$scratch/fault"
    cp -r "$scratch/$package" "$scratch/fault"
    sed -i -E "$fault" "$scratch/fault/$file"
    if cmp -s "$scratch/$package/$file" "$scratch/fault/$file"; then
        failed=$((failed + 1)); echo "FAILED  $what: the fault changes nothing"
    elif (cd "$scratch/fault" && "$@") >"$scratch/log" 2>&1 || ! grep -qF -e "$text" "$scratch/log"; then
        failed=$((failed + 1)); echo "FAILED  $what: not noticed"; tail -n 3 "$scratch/log"
    else passed=$((passed + 1)); echo "noticed $what"; fi
}
compile() { # DEVICE NAME ARGUMENTS...
    local device=$1 name=$2
    shift 2
    "$tessera" compile "$@" --device "$device" -o "$scratch/$name" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
}
component() {
    xmllint --noout --schema "$here/component.xsd" component.xml
    "$here/component.py" . "$registers"
}
stub() { tclsh "$here/vivado_stub.tcl" "$@"; }
vivado() { # NAME: the package for Vivado of a design
    "$tessera" package "$scratch/$1" --target vivado -o "$scratch/$1-vivado"
    cd "$scratch/$1-vivado"
    component
    stub vivado/build.tcl
    [ ! -f vivado/block_design.tcl ] || {
        stub vivado/block_design.tcl scatter_gather
        stub vivado/block_design.tcl
        stub vivado/bitstream.tcl
        test -f "vivado/out/$(basename rtl/*_board.v .v).hwh"
        python3 -c 'import json; json.load(open("platform.json"))["addresses"]["dma"]'
        cc -std=c99 -fsyntax-only -Wall -Werror ./*_platform.h ./*_registers.h
    }
}
vitis() { # NAME [OPTIONS]: with options, what moves events is run, too
    # shellcheck disable=SC2086
    "$tessera" package "$scratch/$1" --target vitis ${2-} -o "$scratch/$1-vitis"
    cd "$scratch/$1-vitis"
    xmllint --noout --schema "$here/vitis/kernel.xsd" vitis/kernel.xml
    [ $# = 1 ] || verilator --lint-only -Wall -Wno-DECLFILENAME -Wno-SYMRSVDWORD -Wno-WIDTHCONCAT -Wno-PINCONNECTEMPTY -y rtl --top-module "$(basename rtl/*_kernel.v .v)" rtl/*_kernel.v
    PATH=$here/vitis:$PATH make -s -C vitis
    test -f "vitis/$(basename rtl/*_board.v .v).xclbin"
    [ $# = 1 ] || {
        for header in ap_int.h ap_axi_sdata.h hls_stream.h; do echo '#include "hls.hpp"' >$header; done
        g++ -std=c++14 -Wall -Wextra -Wno-unknown-pragmas -Werror -I . -I "$here/vitis" -I vitis "$here/vitis/movers_test.cpp" -o movers
        ./movers
    }
}
overlay() { # NAME [OPTIONS]
    # shellcheck disable=SC2086
    "$tessera" package "$scratch/$1" --target pynq ${2-} -o "$scratch/$1-pynq"
    cd "$scratch/$1-pynq"
    stub pynq/overlay.tcl
    /usr/bin/python3 "$here/pynq/try.py" .
}
for device in zcu102 zcu104 kv260 ultra96 pynq-z1 pynq-z2; do
    compile $device $device "${small[@]}"
    check "$device, Vivado" vivado $device
done
check "pynq-z2, PYNQ" overlay pynq-z2
check "kv260, PYNQ, several words a hit" overlay kv260 "--bus-bits 32"
check "ultra96, PYNQ, several results a word" overlay ultra96 "--bus-bits 512"
compile pynq-z2 paged "${seeded[@]}" --mode paged
check "pages from memory, Vivado" vivado paged
check "pages from memory, PYNQ" overlay paged
compile u250 rings "${small[@]}" --mode replicated
compile u55c card-paged "${seeded[@]}" --mode paged
check "pages from a card's memory, Vitis" vitis card-paged "--bus-bits 512"
for device in u50 u55c u200 u280; do
    compile $device $device "${small[@]}"
    check "$device, Vitis" vitis $device
done
check "rings on dies, Vitis" vitis rings "--bus-bits 32"
check "rings on dies, Vivado" vivado rings
# What demo.sh names in the end, on a design of another model.
next_command() {
    local tessera=$tessera device=$1 out=$scratch/$1 target page command
    eval "$(sed -n '/^case /,/^esac/p' demo.sh)"
    command=$(sed -n 's/^say "the next step towards a board: \(.*\)   (docs.*/\1/p' demo.sh)
    test -f "docs/$page"
    eval "$command"
    test -f "$scratch/$1-board/$2"
}
check "the demo's next command, ZCU102" next_command zcu102 vivado/block_design.tcl
check "the demo's next command, U55C" next_command u55c vitis/Makefile
check "every ring has a die" bash -c "grep -c 'resize_pblock.*SLR' '$scratch/rings-vivado/vivado/dies.tcl'"

design=(stub vivado/block_design.tcl)
noticed "a clock that is not connected" "engine/aclk has no driver" vivado/block_design.tcl 's,engine/aclk ,,' "${design[@]}"
noticed "a reset that is not connected" "dma/axi_resetn has no driver" vivado/block_design.tcl 's,lappend bus_reset dma/axi_resetn,,' "${design[@]}"
noticed "a clock of the wrong domain" "different clocks" vivado/block_design.tcl 's,pins clocks/clk_out1. .get_bd_pins .pin,pins clocks/clk_out[expr {[string match dma/m_axi_mm2s* $pin] + 1}]] [get_bd_pins $pin,' "${design[@]}"
noticed "a pin that is not there" "dma has no pin s2mm_intr" vivado/block_design.tcl 's,dma/s2mm_introut,dma/s2mm_intr,' "${design[@]}"
noticed "an option that is not there" "has no option -address" vivado/block_design.tcl 's,-offset,-address,' "${design[@]}"
noticed "a command that is not there" "create_bd_block" vivado/block_design.tcl 's,create_bd_cell,create_bd_block,' "${design[@]}"
noticed "a parameter that is not there" "no parameter c_sg_length" vivado/block_design.tcl 's,c_sg_length_width,c_sg_length,' "${design[@]}"
noticed "a value that cannot be" "c_sg_length_width cannot be 30" vivado/settings.tcl 's,length_bits [0-9]+,length_bits 30,' "${design[@]}"
noticed "addresses on top of each other" "lies over" vivado/settings.tcl 's,dma_base .*,dma_base 0xA0000000,' "${design[@]}"
noticed "an address outside of the window" "is not in" vivado/settings.tcl 's,control_base .*,control_base 0x40000000,' "${design[@]}"
noticed "memory without addresses" "memory has no addresses" vivado/block_design.tcl 's,^assign_bd_address$,,' "${design[@]}"
noticed "an interface that is taken" "is connected already" vivado/block_design.tcl 's,engine/m_axis_results. .get_bd_intf_pins dma/S_AXIS_S2MM,engine/m_axis_results] [get_bd_intf_pins dma/M_AXIS_MM2S,' "${design[@]}"
noticed "two ends of one side" "both are Master" vivado/block_design.tcl 's,registers/S00_AXI,registers/M00_AXI,' "${design[@]}"
noticed "streams of different widths" "128 and 64 bits" vivado/settings.tcl 's,stream_bits 64,stream_bits 128,' "${design[@]}"
noticed "a board without files" "install them" vivado/settings.tcl 's,zcu102:part0,zcu102x:part0,' "${design[@]}"
noticed "elements in another order" "fails to validate" component.xml '0,/<spirit:library>/s,<spirit:library>engines</spirit:library>,,' xmllint --noout --schema "$here/component.xsd" component.xml
noticed "a reference that leads nowhere" "fails to validate" component.xml 's,memoryMapRef="s_axi_control",memoryMapRef="elsewhere",' xmllint --noout --schema "$here/component.xsd" component.xml
noticed "a port of another width" "m_axis_results_tuser" rtl/torch_pre_top_board.v 's,\[1:0\] m_axis_results_tuser,[2:0] m_axis_results_tuser,' "$here/component.py" . "$registers"
noticed "a register at another address" "register CONTROL" component.xml 's,0x040,0x060,' "$here/component.py" . "$registers"
package=card-paged-vitis
link=(env PATH="$here/vitis:$PATH" make -s -C vitis -B)
noticed "a stream that goes nowhere" "engine.m_axis_results is not connected" vitis/link.cfg '/results_out.results$/d' "${link[@]}"
noticed "a stream the wrong way" "not from out to in" vitis/link.cfg 's,hits_in.hits:engine.s_axis_hits,engine.s_axis_hits:hits_in.hits,' "${link[@]}"
noticed "a bank that is not there" "no such bank" vitis/link.cfg 's,HBM.0.,DDR[0],' "${link[@]}"
noticed "pages without memory" "m_axi_pages is not connected" vitis/link.cfg '/m_axi_pages/d' "${link[@]}"
noticed "streams of two widths" "of two widths" vitis/stream.h 's,512,256,' "${link[@]}"
noticed "a port that nobody has" "fails to validate" vitis/kernel.xml 's,port="m_axi_pages",port="m_axi",' xmllint --noout --schema "$here/vitis/kernel.xsd" vitis/kernel.xml
noticed "a kernel's interface that is not there" "no interface m_axis_out" vitis/package_kernel.tcl 's,m_axis_results,m_axis_out,' "${link[@]}"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
