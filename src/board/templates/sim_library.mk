# The simulated devices as a library for the host library's back end "sim": make -f tb/sim_library.mk, in the package's directory. Needs Verilator.
LIBRARY = sim/libtessera_sim.so
$(LIBRARY): $(wildcard rtl/*.v device*/rtl/*.v tb/*.v device*/tb/*.v tb/sim_library.*)
	@mkdir -p sim
	verilator --cc --exe --build -j 1 -O3 --no-timing --timescale 1ns/1ps -Wno-fatal -Wno-lint --prefix Vsim --top-module devices \
	    $(foreach d,. $(wildcard device*),-y $(d)/rtl -y $(d)/tb) -Itb -CFLAGS "-std=c++17 -O2 -fPIC -fvisibility=hidden -fno-gnu-unique -I../../tb" \
	    -LDFLAGS "-shared -Wl,-Bsymbolic" -Mdir sim/objects -o ../libtessera_sim.so ../../tb/sim_library.cpp tb/devices.v
