#!/usr/bin/env bash
# Installs everything tessera needs on a Debian 12 machine; does nothing where it is all there. Root, or sudo.
# Usage: scripts/install.sh [--all | --bench | --cross | --deb]   --all also installs what only the full test suite needs; --bench what
# `make bench` compares with; --cross compilers for other processors; --deb what `make deb` and its test need.
set -euo pipefail

packages=( # package            why
    build-essential           # gcc, make, and the C++ compiler that Verilator's output needs
    cmake                     # the build
    ninja-build               # the build's job runner
    pkg-config                # finds the libraries below
    libprotobuf-c-dev         # reads ONNX files (protobuf in C)
    protobuf-c-compiler       # makes the reader from ONNX's own schema
    protobuf-compiler         # protoc-c is its plug-in
    libonnx-dev               # that schema: onnx.proto
    libopenblas-dev           # matrix products of the float reference
    libopenblas0-pthread      # the fast build of OpenBLAS
    libjansson-dev            # JSON: inputs, devices, reports
    libcmocka-dev             # unit tests
    verilator                 # simulates the generated hardware
    iverilog                  # a second simulator, four-state: finds unknowns
    yosys                     # synthesis: resources, proofs, path check
    git                       # clean clones in tests
)
test_packages=(
    ccache                    # the simulators that the tests build share what Verilator adds to each: compiled once
    clang                     # second compiler: warnings, libFuzzer
    clang-format              # how the C files are written: version 14, as .clang-format was written for
    libomp-14-dev             # clang's OpenMP
    libclang-rt-14-dev        # clang's sanitizer and fuzzer runtimes
    libonnx-testdata          # ONNX's own operator tests
    libxrt-dev                # headers of Xilinx's runtime, for the host library's back end for cards
    tcl                       # runs scripts and constraints for Vivado, against a stub
    libxml2-utils             # xmllint: what is written as XML, against schemas
    python3-numpy             # .npy events in tests
    python3-onnx              # makes models in other exporters' styles
    python3-torch             # exports models as users do
    python3-matplotlib        # draws the Python example's tracks
    python3-pip               # makes a wheel of the Python package
    python3-setuptools        # for it
    python3-wheel             # for it
    mypy                      # checks the types of the Python package
)
cross_packages=( # of scripts/cross.sh
    gcc-aarch64-linux-gnu     # the host library for Zynq UltraScale+
    libc6-dev-arm64-cross     # ... its C library
    gcc-arm-linux-gnueabihf   # ... for Zynq-7000
    libc6-dev-armhf-cross     # ... its C library
    qemu-user                 # runs its tests
)
bench_packages=(
    python3-torch             # makes the seeded models of published shapes
)
deb_packages=(
    debhelper                 # builds the Debian packages
    dh-python                 # that of the Python package
    lintian                   # looks at them
    mmdebstrap                # makes the minimal Debian that they are installed in
)
[ "${1-}" = --all ] && packages+=("${test_packages[@]}")
[ "${1-}" = --cross ] && packages+=("${cross_packages[@]}")
[ "${1-}" = --deb ] && packages+=("${deb_packages[@]}")
[ "${1-}" = --bench ] && packages+=("${bench_packages[@]}")

# onnxruntime, to compare with: Debian 12 has none, npm's package holds the library. Into out/, without its install scripts, which would only fetch
# the parts for GPUs. `make bench` leaves the comparison out where it is not there.
install_onnxruntime() {
    [ -d out/onnxruntime/node_modules/onnxruntime-node ] && return
    if ! command -v npm >/dev/null; then
        echo "install.sh: no npm, so no onnxruntime to compare with (Debian: nodejs, npm); make bench runs without it" >&2
        return
    fi
    mkdir -p out/onnxruntime
    (cd out/onnxruntime && npm install --silent --no-save --ignore-scripts --no-audit --no-fund onnxruntime-node@1.30.0) ||
        echo "install.sh: npm could not install onnxruntime-node; make bench runs without it" >&2
}
cd "$(dirname "$0")/.."
[ "${1-}" = --bench ] && install_onnxruntime

missing=()
for p in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true)" = installed ] || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "install.sh: these packages are missing and neither root nor sudo is there to install them: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
fi
echo "install.sh: installing ${missing[*]}"
log=$(mktemp)
if ! { "${as_root[@]}" apt-get update -qq && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "install.sh: apt-get failed (whole log: $log)" >&2
    exit 1
fi
rm -f "$log"
