# A thin task runner over CMake. `make` builds build/tessera.
.PHONY: all install deb test rtl formal points clock clang asan tsan fuzz lint bench format clean
all: build/build.ninja
	@cmake --build build
build/build.ninja: CMakeLists.txt CMakePresets.json
	@cmake --preset release
# DESTDIR=... PREFIX=...: command, man page, header, libraries, pkg-config and CMake files
install: all
	@DESTDIR="$(DESTDIR)" cmake --install build --prefix "$(or $(PREFIX),/usr/local)"
test: ; @./test.sh
rtl: ; @test/rtl/run.sh
formal: ; @rtl/formal/prove.sh
points: all ; @bench/synth_points.sh
# cell delays of each stage of a design beside the committed figures; one that got 10 % slower fails
clock: all ; @bench/clock.py
clang: ; @cmake --preset clang && cmake --build build-clang
asan: ; @cmake --preset asan && cmake --build build-asan && ctest --test-dir build-asan --output-on-failure
tsan: ; @cmake --preset tsan && cmake --build build-tsan && test/threads/run.sh build-tsan
fuzz: ; @test/fuzz/run.sh -m $(or $(MINUTES),10)
lint: ; @scripts/lint.sh
# docs/results.md and its plots, from measurements of this run; QUICK=1 is a short run into out/bench/quick/. scripts/install.sh --bench first.
bench: all ; @bench/bench.py $(if $(QUICK),--quick)
# Debian packages into build/deb; test/deb/run.sh installs them in a minimal Debian
deb: ; @scripts/deb.sh
format: ; @scripts/check_style.sh --mend
clean: ; @rm -rf build build-clang build-asan build-tsan build-fuzz
