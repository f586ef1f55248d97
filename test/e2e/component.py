#!/usr/bin/env python3
"""A package's component.xml against what it describes: ports as Yosys reads the top, registers as board/registers.def has them, files that are
there. The schema (component.xsd) has been checked before. Usage: component.py PACKAGE REGISTERS.def"""
import json, re, subprocess, sys
import xml.etree.ElementTree as xml
from pathlib import Path

S = "{http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009}"
package, rows = Path(sys.argv[1]), sys.argv[2]
root = xml.parse(package / "component.xml").getroot()
wrong = []


def text(node, path):
    found = node.find("/".join(S + p for p in path.split("/")))
    return None if found is None else found.text


def check(what, have, want):
    if have != want:
        wrong.append(f"{what}: {have}, should be {want}")


def all_of(node, path):
    return node.findall("/".join(S + p for p in path.split("/")))


top = text(root, "name")

# Ports: direction and width.
read = subprocess.run(["yosys", "-q", "-p", f"read_verilog {package}/rtl/{top}.v; proc; write_json"], capture_output=True, text=True)
said = read.stdout[read.stdout.index("{"):] if "{" in read.stdout else sys.exit(f"yosys: {read.stderr}")
module = json.loads(said)["modules"][top]
verilog = {n: (p["direction"][:-3] if p["direction"] == "output" else "in", len(p["bits"])) for n, p in module["ports"].items()}
ports = {}
for port in all_of(root, "model/ports/port"):
    left = text(port, "wire/vector/left")
    ports[text(port, "name")] = (text(port, "wire/direction"), 1 if left is None else int(left) + 1)
check("ports", sorted(ports), sorted(verilog))
for name in ports:
    check(f"port {name}", ports[name], verilog.get(name))
check("parameters", [text(p, "name") for p in all_of(root, "model/modelParameters/modelParameter")], list(module.get("parameter_default_values", {})))

# Every port is some interface's, once; masters drive what masters drive.
mapped = [text(m, "physicalPort/name") for m in all_of(root, "busInterfaces/busInterface/portMaps/portMap")]
check("mapped ports", sorted(mapped), sorted(p for p in ports if not re.fullmatch(r"link\d+_up", p)))  # a state of the board's, no interface's
driven_by_master = {"AWVALID", "AWADDR", "WVALID", "WDATA", "BREADY", "ARVALID", "ARADDR", "RREADY", "TVALID", "TDATA", "TLAST", "TKEEP", "TUSER"}
names = [text(b, "name") for b in all_of(root, "busInterfaces/busInterface")]
clocked = {}
for bus in all_of(root, "busInterfaces/busInterface"):
    master = bus.find(S + "master") is not None
    for m in all_of(bus, "portMaps/portMap"):
        logical, physical = text(m, "logicalPort/name"), text(m, "physicalPort/name")
        if logical in driven_by_master:
            check(f"{physical} of a {'master' if master else 'slave'}", ports[physical][0], "out" if master else "in")
    for p in all_of(bus, "parameters/parameter"):
        if text(p, "name") == "ASSOCIATED_BUSIF":
            for b in text(p, "value").split(":"):
                clocked[b] = clocked.get(b, 0) + 1
        elif text(p, "name") == "ASSOCIATED_RESET":
            check("reset's interface", text(p, "value") in names, True)
        elif text(p, "name") == "TDATA_NUM_BYTES":
            check(f"bytes of {text(bus, 'name')}", 8 * int(text(p, "value")), ports[text(bus, "name") + "_tdata"][1])
check("interfaces with a clock", clocked, {n: 1 for n in names if n.startswith(("s_ax", "m_ax"))})

# Registers and fields, from the rows themselves.
define = Path(rows).read_text()
define = define[define.index("*/"):]
want, fields = {}, {}
access = {"CONSTANT": "read-only", "STATUS": "read-only", "CONTROL": "read-write", "COMMAND": "write-only", "STICKY": "read-write"}
for line in define.splitlines():
    if m := re.match(r"REGISTER\((\w+), (\w+), (\w+), ([^,]+), (.*)", line):
        want[m[2]] = (int(m[1], 16), access[m[3]])
    elif m := re.match(r"FIELD\((\w+), (\w+), (\d+), (\d+), ", line):
        fields.setdefault(m[1], {})[m[2]] = (int(m[3]), int(m[4]))
    elif m := re.match(r"COUNTER\((\w+), (\w+), ", line):
        want[m[2] + "_LO"], want[m[2] + "_HI"] = (int(m[1], 16), "read-only"), (int(m[1], 16) + 4, "read-only")
registers = {}
for block in all_of(root, "memoryMaps/memoryMap/addressBlock"):
    for r in all_of(block, "register"):
        name = text(r, "name")
        registers[name] = (int(text(r, "addressOffset"), 16), text(r, "access"))
        check(f"register {name}", registers[name], want.get(name))
        have = {text(f, "name"): (int(text(f, "bitOffset")), int(text(f, "bitWidth"))) for f in all_of(r, "field")}
        if name in fields:
            check(f"fields of {name}", have, fields[name])
        check(f"{name} within its block", registers[name][0] + 4 <= int(text(block, "range")), True)
always = {m[1] for m in re.finditer(r"^REGISTER\(\w+, (\w+), .*, true, \"", define, re.M)}
check("registers that every board has", sorted(always - set(registers)), [])
file = (package / "rtl" / f"{top}_registers.v").read_text()
check("registers of the Verilog", sorted(registers), sorted(set(re.findall(r"12'h[0-9a-f]{3}: data = .*// (\w+)", file))))

# Files are there; all Verilog is in the set for synthesis.
for f in all_of(root, "fileSets/fileSet/file"):
    check(f"file {text(f, 'name')}", (package / text(f, "name")).is_file(), True)
listed = {text(f, "name") for f in all_of(root.find(S + "fileSets").find(S + "fileSet"), "file")}
check("Verilog files", {str(f.relative_to(package)) for f in (package / "rtl").glob("*.v")} - listed, set())
for w in wrong[:20]:
    print(w)
print(f"{len(ports)} ports, {len(registers)} registers, {len(names)} interfaces of component.xml: {len(wrong)} wrong")
sys.exit(bool(wrong))
