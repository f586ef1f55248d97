#!/usr/bin/env python3
"""Walks the flattened netlist of a design and lists every register that reads one of another clock. Allowed are: the first register of a
ts_sync, straight from a register, with nothing between; the output register of a ts_async_fifo, from its RAM; the asynchronous input of a
ts_reset. Everything else is an error, and so are latches.

Usage, from anywhere: scripts/check_crossings.py [--self-test] [--list] [TOP FILE.v...]
  TOP FILE.v...  a design; modules that the files lack come from rtl/. Without: the parts of a device's top, put together.
  --list         the crossings that are allowed, too
  --self-test    also puts crossings into a copy that must be found, and runs the constraints beside the modules in tclsh: what they
                 name must be there
Inputs of the top have no clock: what comes from them is not looked at. Needs yosys, tclsh. Exit status 0 only if nothing is wrong."""
import json, os, re, subprocess, sys, tempfile

RTL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "rtl")

# The parts of a device's top: streams, control and counters, reads of pages, each with both clocks.
TOP = """
module crossings (
    input wire bus_clk, input wire clk, input wire arst,
    input wire [63:0] s_axis_tdata, input wire [7:0] s_axis_tkeep, input wire s_axis_tlast, input wire s_axis_tvalid,
    output wire s_axis_tready, output wire [63:0] m_axis_tdata, output wire [7:0] m_axis_tkeep, output wire m_axis_tlast,
    output wire [1:0] m_axis_tuser, output wire m_axis_tvalid, input wire m_axis_tready,
    input wire awvalid, input wire wvalid, input wire arvalid, input wire bready, input wire rready, input wire [11:0] awaddr,
    input wire [11:0] araddr, input wire [31:0] wdata, input wire [3:0] wstrb,
    output wire awready, output wire wready, output wire arready, output wire bvalid, output wire rvalid,
    output wire [31:0] rdata, output wire [1:0] bresp, output wire [1:0] rresp,
    input wire p_arvalid, output wire p_arready, input wire [39:0] p_araddr, input wire [7:0] p_arlen,
    output wire p_rvalid, output wire [63:0] p_rdata, output wire [1:0] p_rresp, output wire p_rlast,
    output wire b_arvalid, input wire b_arready, output wire [39:0] b_araddr, output wire [7:0] b_arlen, output wire [2:0] b_arsize,
    output wire [1:0] b_arburst, input wire b_rvalid, output wire b_rready, input wire [63:0] b_rdata, input wire [1:0] b_rresp,
    input wire b_rlast, output wire injected);
    wire bus_rst, rst;
    ts_reset bus_reset (.clk(bus_clk), .arst(arst), .rst(bus_rst));
    ts_reset reset (.clk(clk), .arst(arst), .rst(rst));

    wire hv, hr, hl, hf, he, ov, orr;
    wire [47:0] hd;
    ts_axis_io #(.BUSW(64), .HITW(48), .OUTW(48)) io (
        .bus_clk(bus_clk), .bus_rst(bus_rst), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready), .s_axis_tdata(s_axis_tdata),
        .s_axis_tkeep(s_axis_tkeep), .s_axis_tlast(s_axis_tlast), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready),
        .m_axis_tdata(m_axis_tdata), .m_axis_tkeep(m_axis_tkeep), .m_axis_tlast(m_axis_tlast), .m_axis_tuser(m_axis_tuser),
        .clk(clk), .rst(rst), .s_hit_valid(hv), .s_hit_ready(hr), .s_hit_data(hd), .s_hit_last(hl), .s_hit_refused(hf), .s_hit_error(he),
        .m_out_valid(ov), .m_out_ready(orr), .m_out_data(hd), .m_out_last(hl), .m_out_refused(hf), .m_out_error(he));
    assign ov = hv;
    assign hr = orr;

    wire qv, qr, qw, av, ah, ev, er, fault;
    wire [11:0] qa;
    wire [31:0] qd, ad;
    wire [3:0] qs;
    wire [48:0] q;
    wire [511:0] count;
    reg ra = 1'b0;
    ts_axil #(.ADDRW(12)) axil (
        .clk(bus_clk), .rst(bus_rst), .s_axi_awvalid(awvalid), .s_axi_awready(awready), .s_axi_awaddr(awaddr), .s_axi_awprot(3'd0),
        .s_axi_wvalid(wvalid), .s_axi_wready(wready), .s_axi_wdata(wdata), .s_axi_wstrb(wstrb), .s_axi_bvalid(bvalid), .s_axi_bready(bready),
        .s_axi_bresp(bresp), .s_axi_arvalid(arvalid), .s_axi_arready(arready), .s_axi_araddr(araddr), .s_axi_arprot(3'd0),
        .s_axi_rvalid(rvalid), .s_axi_rready(rready), .s_axi_rdata(rdata), .s_axi_rresp(rresp), .q_valid(qv), .q_ready(qr), .q_write(qw),
        .q_address(qa), .q_data(qd), .q_strobe(qs), .a_valid(av), .a_hit(ah), .a_data(ad));
    ts_cross #(.QW(49), .RW(33)) cross (
        .s_clk(bus_clk), .s_rst(bus_rst), .s_valid(qv), .s_ready(qr), .s_data({qw, qa, qd, qs}), .s_a_valid(av), .s_a_data({ah, ad}),
        .m_clk(clk), .m_rst(rst), .m_valid(ev), .m_ready(1'b1), .m_data(q), .m_a_valid(ra), .m_a_data({q[0], count[31:0] ^ count[511:480]}),
        .fault(fault));
    always @(posedge clk)
        ra <= ev;
    ts_counters counters (
        .clk(clk), .rst(rst), .in_valid(hv), .in_ready(hr), .in_last(hl), .out_valid(ov), .out_ready(orr), .out_last(hl), .out_refused(hf),
        .out_error(he), .ring_fault(fault), .latch(ev), .count(count), .fault());
    ts_axi_read_cross pages (
        .s_clk(clk), .s_rst(rst), .s_axi_arvalid(p_arvalid), .s_axi_arready(p_arready), .s_axi_araddr(p_araddr), .s_axi_arlen(p_arlen),
        .s_axi_arsize(3'd3), .s_axi_arburst(2'd1), .s_axi_rvalid(p_rvalid), .s_axi_rready(1'b1), .s_axi_rdata(p_rdata),
        .s_axi_rresp(p_rresp), .s_axi_rlast(p_rlast), .m_clk(bus_clk), .m_rst(bus_rst), .m_axi_arvalid(b_arvalid), .m_axi_arready(b_arready),
        .m_axi_araddr(b_araddr), .m_axi_arlen(b_arlen), .m_axi_arsize(b_arsize), .m_axi_arburst(b_arburst), .m_axi_rvalid(b_rvalid),
        .m_axi_rready(b_rready), .m_axi_rdata(b_rdata), .m_axi_rresp(b_rresp), .m_axi_rlast(b_rlast));
    @INJECT@
endmodule
"""

# Crossings that must be found: what is put into the top, a pattern of the message.
INJECTED = {
    "a register of one clock read by another": ("reg x; always @(posedge clk) x <= m_axis_tvalid; assign injected = x;", r"x reads m_axis_t"),
    "through logic": ("reg x; always @(posedge bus_clk) if (hv & hl) x <= s_axis_tlast; assign injected = x;", r"x reads"),
    "logic in front of a synchroniser": (
        "ts_sync sync (.clk(clk), .in(m_axis_tvalid ^ m_axis_tlast), .out(injected));", r"sync\.all reads .* through logic"),
    "a memory of one clock read by another": (
        "reg a [0:3]; reg x; always @(posedge clk) a[q[1:0]] <= q[2]; always @(posedge bus_clk) x <= a[qd[1:0]]; assign injected = x;",
        r"x reads .*\ba\b"),
    "a write address of another clock": (
        "reg a [0:3]; reg x; always @(posedge clk) if (ev) a[qd[1:0]] <= q[2]; always @(posedge clk) x <= a[q[1:0]]; assign injected = x;",
        r"\ba reads qd"),
    "a reset of another clock": ("reg x; always @(posedge clk) x <= !bus_rst && !x; assign injected = x;", r"x reads bus_rst"),
    "an asynchronous reset of another clock": (
        "reg x; always @(posedge clk or posedge bus_rst) if (bus_rst) x <= 1'b0; else x <= 1'b1; assign injected = x;", r"x reads bus_rst"),
}


def netlist(top, files):
    with tempfile.TemporaryDirectory() as work:
        out = os.path.join(work, "netlist.json")
        reads = "; ".join("read_verilog -defer %s" % f for f in files)
        script = "%s; hierarchy -libdir %s -top %s; proc; flatten; opt_clean; memory_collect; write_json %s" % (reads, RTL, top, out)
        done = subprocess.run(["yosys", "-q", "-p", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit("check_crossings.py: yosys: " + done.stdout.strip())
        with open(out) as f:
            return json.load(f)["modules"][top]


class design:
    """Bits are Yosys' numbers; a register or a memory port is (cell, clock)."""

    def __init__(self, module):
        self.cells = module["cells"]
        self.name_of_bit = {}
        for name, net in sorted(module["netnames"].items(), key=lambda n: (n[1].get("hide_name", 0), n[0].count("."), len(n[0]), n[0]), reverse=True):
            for bit in net["bits"]:
                self.name_of_bit[bit] = name  # the best name is the last one
        self.driver = {}  # bit: cell name
        self.latches = []
        for name, cell in self.cells.items():
            for port, bits in cell["connections"].items():
                if cell["port_directions"].get(port) == "output":
                    for bit in bits:
                        self.driver[bit] = name
            if "latch" in cell["type"] or cell["type"] == "$sr":
                self.latches.append(name)

    def same_instance(self, sink, memory):
        path = sink.replace("$flatten", "").replace("\\", "").split("$")[0].rstrip(".")
        return self.name(memory) == (path + "." if path else "") + "array"

    def is_memory(self, cell): # that something writes: a table changes with no clock
        return cell["type"].startswith("$mem") and bool(cell["connections"]["WR_CLK"])

    def is_register(self, cell):
        return "CLK" in cell["connections"] and not cell["type"].startswith("$mem")

    def clock(self, cell):
        bits = cell["connections"]["WR_CLK" if self.is_memory(cell) else "CLK"]
        return bits[0]

    def name(self, cell_name):
        cell = self.cells[cell_name]
        if self.is_memory(cell):
            return cell["parameters"].get("MEMID", cell_name).lstrip("\\")
        return self.name_of_bit.get(cell["connections"]["Q"][0], cell_name)

    def within(self, cell_name, module):
        return ("/%s.v:" % module) in ("/" + self.cells[cell_name].get("attributes", {}).get("src", ""))

    def inputs(self, cell):
        """What a combinational cell, or a memory's read, depends on."""
        for port, bits in cell["connections"].items():
            if cell["port_directions"].get(port) != "output" and (not self.is_memory(cell) or port in ("RD_ADDR", "RD_EN")):
                yield from bits

    def sources(self, start):
        """{(cell that holds it, straight): bit} of all registers and memories that `start` comes from."""
        found, seen, todo = {}, set(), [(start, True)]
        while todo:
            bit, straight = todo.pop()
            if bit in seen or bit not in self.driver:
                continue
            seen.add(bit)
            name = self.driver[bit]
            cell = self.cells[name]
            if self.is_register(cell):
                found[name] = found.get(name, True) and straight
                continue
            if self.is_memory(cell):
                found[name] = False
            for b in self.inputs(cell):
                todo.append((b, False))
        return found

    def crossings(self):
        memo = {}  # bit: clocks that it comes from

        def clocks(start):
            stack = [start]
            while stack:
                bit = stack[-1]
                if bit in memo:
                    stack.pop()
                    continue
                if bit not in self.driver:
                    memo[bit] = frozenset()
                    continue
                cell = self.cells[self.driver[bit]]
                if self.is_register(cell):
                    memo[bit] = frozenset([self.clock(cell)])
                    continue
                needs = list(self.inputs(cell))
                missing = [b for b in needs if b not in memo]
                if missing:
                    for b in missing:
                        if b in stack:
                            memo[b] = frozenset(self.clock(self.cells[c]) for c in self.sources(b))  # a circle, of cells at least
                    stack += [b for b in missing if b not in memo]
                    continue
                own = [self.clock(cell)] if self.is_memory(cell) else []
                memo[bit] = frozenset(own).union(*[memo[b] for b in needs])
            return memo[start]

        for name, cell in sorted(self.cells.items()):
            if self.is_memory(cell):
                ports = ("WR_ADDR", "WR_DATA", "WR_EN")
            elif self.is_register(cell):
                ports = [p for p in cell["connections"] if p not in ("CLK", "Q")]
            else:
                continue
            clk = self.clock(cell)
            for port in ports:
                for at, bit in enumerate(cell["connections"][port]):
                    if clocks(bit) - {clk}:
                        for source, straight in self.sources(bit).items():
                            if self.clock(self.cells[source]) != clk:
                                yield name, port, source, straight


def check(top, files, listed):
    """Messages of what is wrong, and the number of crossings that are right, by kind."""
    d = design(netlist(top, files))
    wrong, right = set(), set()
    for latch in d.latches:
        wrong.add("%s is a latch" % latch)
    registers = sum(1 for c in d.cells.values() if d.is_register(c))
    if not registers:
        wrong.add("%s has no registers" % top)
    clocks = {d.clock(c) for c in d.cells.values() if d.is_register(c)}
    for sink, port, source, straight in d.crossings():
        memory = d.is_memory(d.cells[source])
        line = "%s reads %s (%s, %s)" % (
            d.name(sink), d.name(source), d.name_of_bit.get(d.clock(d.cells[sink])), d.name_of_bit.get(d.clock(d.cells[source])))
        if d.within(sink, "ts_sync") and port == "D":
            (right if straight else wrong).add(("ts_sync", line) if straight else line + " through logic")
        elif d.within(sink, "ts_reset") and port == "ARST":
            right.add(("ts_reset", line))
        elif memory and port == "D" and d.within(sink, "ts_async_fifo") and d.same_instance(sink, source):
            right.add(("ts_async_fifo", line))
        else:
            wrong.add(line)
    if listed:
        for kind, line in sorted(right):
            print("%-14s %s" % (kind, line))
    return sorted(wrong), right, len(clocks), registers


# The constraints beside the modules, run in tclsh against commands that say what they are given: every register that a text names must
# be in the module, and every option must be one that the text may use (UG835).
STUBS = """
proc get_cells {args} {
    set filter [lsearch $args -filter]
    if {$filter >= 0} {
        return [expr {[string match "*@MODULE@*" [lindex $args $filter+1]] ? "@INSTANCE@" : ""}]
    }
    puts "cell [lindex $args end]"
    return [lindex $args end]
}
proc get_pins {pins} { puts "cell [file dirname $pins]"; return $pins }
proc get_clocks {args} { if {[lindex $args 0] ne "-of_objects"} { error "get_clocks $args" }; return clock }
proc get_property {args} {
    switch -- [lindex $args end-1] { PERIOD { return 4.0 } PARENT { return "" } default { error "get_property $args" } }
}
proc constraint {name allowed value} {
    foreach {option object} $value {
        if {[lsearch $allowed $option] < 0 || $object eq ""} { error "$name $value" }
    }
    puts "constraint $name"
}
proc set_max_delay {flag args} {
    if {$flag ne "-datapath_only" || ![string is double -strict [lindex $args end]]} { error "set_max_delay $flag $args" }
    constraint set_max_delay {-from -to} [lrange $args 0 end-1]
}
proc set_bus_skew {args} {
    if {![string is double -strict [lindex $args end]]} { error "set_bus_skew $args" }
    constraint set_bus_skew {-from -to} [lrange $args 0 end-1]
}
proc set_false_path {args} { constraint set_false_path {-to} $args }
source @FILE@
"""
CONSTRAINTS = {"ts_async_fifo": 8, "ts_sync": 1, "ts_reset": 1}  # how many each instance has


def check_constraints(work):
    wrong = []
    for module, expected in CONSTRAINTS.items():
        registers = set()
        source = os.path.join(RTL, module + ".v")
        d = design(netlist(module, [source]))
        for cell in d.cells.values():
            if d.is_register(cell):
                registers |= {d.name_of_bit.get(b) for b in cell["connections"]["Q"]}
        # A synchroniser's registers have two names: of the register, and of the wire that it is a part of.
        registers |= {name[: -len("all")] + "chain" for name in registers if name and name.split(".")[-1] == "all"}
        program = os.path.join(work, "stubs.tcl")
        with open(program, "w") as f:
            text = STUBS.replace("@MODULE@", module).replace("@INSTANCE@", "dut")
            f.write(text.replace("@FILE@", os.path.join(RTL, module + ".xdc.tcl")))
        done = subprocess.run(["tclsh", program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        lines = done.stdout.splitlines()
        if done.returncode:
            wrong.append("%s.xdc.tcl: %s" % (module, done.stdout.strip()))
        for line in lines:
            kind, _, what = line.partition(" ")
            name = re.sub(r"_reg(\[[^]]*\])?$", "", what).replace("dut/", "").replace("/", ".")
            if kind == "cell" and name not in registers:
                wrong.append("%s.xdc.tcl names %s, which is no register of %s" % (module, what, module))
        count = sum(1 for line in lines if line.startswith("constraint "))
        if count != expected:
            wrong.append("%s.xdc.tcl makes %d constraints, not %d" % (module, count, expected))
    return wrong


def main(arguments):
    listed, self_test = "--list" in arguments, "--self-test" in arguments
    arguments = [a for a in arguments if a not in ("--list", "--self-test")]
    if len(arguments) == 1 or any(a.startswith("-") for a in arguments):
        sys.exit(__doc__)
    status = 0
    with tempfile.TemporaryDirectory() as work:
        own = os.path.join(work, "crossings.v")
        if not arguments:
            with open(own, "w") as f:
                f.write(TOP.replace("@INJECT@", "assign injected = 1'b0;"))
        top, files = (arguments[0], arguments[1:]) if arguments else ("crossings", [own])
        wrong, right, clocks, registers = check(top, files, listed)
        for line in wrong:
            print("CROSSING %s" % line)
            status = 1
        count = {kind: sum(1 for k, _ in right if k == kind) for kind in ("ts_sync", "ts_async_fifo", "ts_reset")}
        print("%s: %d clocks, %d registers and more; crossings: %d into ts_sync, %d out of the RAM of ts_async_fifo, %d into ts_reset, %d others" % (
            top, clocks, registers, count["ts_sync"], count["ts_async_fifo"], count["ts_reset"], len(wrong)))
        if not arguments and (count["ts_async_fifo"] != 6 or clocks != 2):
            print("the parts of the top have six FIFOs between two clocks: the walk has missed some")
            status = 1
        for line in check_constraints(work) if self_test else []:
            print("CONSTRAINT %s" % line)
            status = 1
        for what, (verilog, pattern) in INJECTED.items() if self_test else []:
            with open(own, "w") as f:
                f.write(TOP.replace("@INJECT@", verilog))
            found = check("crossings", [own], False)[0]
            if found and all(re.search(pattern, line) for line in found):
                print("noticed  %s" % what)
            else:
                print("MISSED   %s: %s" % (what, found))
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
