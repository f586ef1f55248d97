// Self-checking test bench of a design on several devices: mem/hits.hex into the first device's s_axis_hits, the last one's m_axis_results against
// mem/expect.hex, word by word. Every device has clocks of its own for bus and engine, every end of a link one; tb/devices.v connects the devices' tops
// through modelled links. In the first pass nothing else happens; in the second, each device is soft-reset while events go through it, which
// changes nothing. Runs from the directory of the packages, in any Verilog simulator; prints PASS with counts as its last word, or FAIL.
//   +stalls=P +seed=S      pauses hits and results in P percent of the cycles
//   +lane_pauses=P         and the links
//   +clocks=S              each clock 0.6 to 1.9 times as long as planned, at random from seed S (0: as planned); phases are random always
//   +passes=N              (2)
//   +most=CYCLES           of the first engine, from the first hit taken to the last result, that the first pass may take
//   +lane_fault=L +lane_word=N   a word of lane L is lost: lane 2 i leads from device i to the next, 2 i + 1 back. Of data, one event, or two next to
//                          each other, end in error; every other one is right, and the register of the device that saw it says so
`timescale 1ns / 1ps
`default_nettype none
`include "ring.vh"
`include "devices.vh"

module tb;
    localparam DEVICES   = `SYSTEM_DEVICES;
    localparam LINKS     = `SYSTEM_LINKS;
    localparam HIT_BITS  = `RING_HIT_BITS;
    localparam LANES     = `RING_LANES;
    localparam OUT_LANE  = `RING_OUT_LANE;
    localparam OUT_BITS  = LANES * OUT_LANE;
    localparam BITS      = `SYSTEM_HIT_BUS;
    localparam BYTES     = BITS / 8;
    localparam OUT_BUS   = `SYSTEM_RESULT_BUS;
`ifdef SYSTEM_STATUS_WORD
    localparam STATUS    = 1;
`else
    localparam STATUS    = 0;
`endif
    // Slots of ts_axis_in and ts_axis_out: so many a word, or so many words each.
    localparam HIT_BYTES = HIT_BITS <= 8 ? 1 : 1 << $clog2((HIT_BITS + 7) / 8);
    localparam OUT_BYTES = OUT_BITS <= 8 ? 1 : 1 << $clog2((OUT_BITS + 7) / 8);
    localparam HIT_SLOTS = HIT_BITS > BITS ? 1 : BYTES / HIT_BYTES;
    localparam OUT_SLOTS = OUT_BITS > OUT_BUS ? 1 : OUT_BUS / 8 / OUT_BYTES;
    localparam HIT_WORDS = HIT_BITS > BITS ? (HIT_BITS + BITS - 1) / BITS : 1;
    localparam OUT_WORDS = OUT_BITS > OUT_BUS ? (OUT_BITS + OUT_BUS - 1) / OUT_BUS : 1;

    // ---- Clocks, in picoseconds
    integer bus_ps [0:DEVICES-1], engine_ps [0:DEVICES-1], link_ps [0:2*LINKS-1], bus_at [0:DEVICES-1], engine_at [0:DEVICES-1],
            link_at [0:2*LINKS-1];
    reg     running = 1'b0;
    wire [DEVICES-1:0]  aclk, engine_clk;
    wire [2*LINKS-1:0]  link_clk;
    reg  [32*LINKS-1:0] word_ps;
    genvar g;
    generate
        for (g = 0; g < DEVICES; g = g + 1) begin : g_device
            reg bus = 1'b0, engine = 1'b0;
            initial begin
                while (!running) #1;
                #(bus_at[g] / 1000.0);
                forever #(bus_ps[g] / 2000.0) bus = !bus;
            end
            initial begin
                while (!running) #1;
                #(engine_at[g] / 1000.0);
                forever #(engine_ps[g] / 2000.0) engine = !engine;
            end
            assign aclk[g] = bus;
            assign engine_clk[g] = engine;
        end
        for (g = 0; g < 2 * LINKS; g = g + 1) begin : g_link
            reg link = 1'b0;
            initial begin
                while (!running) #1;
                #(link_at[g] / 1000.0);
                forever #(link_ps[g] / 2000.0) link = !link;
            end
            assign link_clk[g] = link;
        end
    endgenerate
    wire hit_clk = aclk[0], result_clk = aclk[DEVICES-1];

    // ---- Devices
    reg  [DEVICES-1:0]    awvalid = 0, wvalid = 0, bready = 0, arvalid = 0, rready = 0;
    wire [DEVICES-1:0]    awready, wready, bvalid, arready, rvalid, interrupt;
    wire [2*DEVICES-1:0]  bresp, rresp;
    wire [32*DEVICES-1:0] rdata;
    reg  [11:0]           awaddr = 12'd0, araddr = 12'd0;
    reg  [31:0]           wdata = 32'd0;
    reg                   aresetn = 1'b0, s_valid = 1'b0, s_last = 1'b0, m_ready = 1'b0;
    reg  [BITS-1:0]       s_data = {BITS{1'b0}};
    reg  [BYTES-1:0]      s_keep = {BYTES{1'b0}};
    wire                  s_ready, m_valid, m_last;
    wire [OUT_BUS-1:0]    m_data;
    wire [OUT_BUS/8-1:0]  m_keep;
    wire [1:0]            m_user;
    devices devices (
        .aclk(aclk), .engine_clk(engine_clk), .link_clk(link_clk), .aresetn(aresetn), .word(word_ps), .interrupt(interrupt),
        .awvalid(awvalid), .awready(awready), .awaddr(awaddr), .wvalid(wvalid), .wready(wready), .wdata(wdata), .bvalid(bvalid),
        .bready(bready), .bresp(bresp), .arvalid(arvalid), .arready(arready), .araddr(araddr), .rvalid(rvalid), .rready(rready),
        .rdata(rdata), .rresp(rresp), .s_tvalid(s_valid), .s_tready(s_ready), .s_tdata(s_data), .s_tkeep(s_keep), .s_tlast(s_last),
        .m_tvalid(m_valid), .m_tready(m_ready), .m_tdata(m_data), .m_tkeep(m_keep), .m_tlast(m_last), .m_tuser(m_user));

    // ---- What goes in and should come out
    reg [HIT_BITS:0]         hits [0:`RING_HITS-1];          // {last, data}
    reg [OUT_BITS+LANES+1:0] expect_word [0:`RING_BEATS-1];  // {used lanes, refused, last, data}
    reg [OUT_BITS+LANES+1:0] expected;
    reg [OUT_BITS-1:0]       result;
    reg [31:0] hit, word, slot, beat, part, idle, errors, event_errors, events, refused, damaged, stalls, lane, pass, passes, value, faulty;
    reg        ended; // all results of the event have come, its status word has not
    reg        going, event_ends, wrong, taken_a, taken_w, in_pauses, out_pauses;
    integer    seed, in_seed, out_seed, clock_seed, spread, i, d, e, at, most;
    real       first_at, last_at, took;

    task fail(input [8*80-1:0] message);
        begin
            $display("FAIL: %0s (pass %0d: %0d hits in, %0d of %0d transfers out, %0d wrong)", message, pass, hit, beat, `RING_BEATS, errors);
            $finish;
        end
    endtask

    task write(input integer device, input [11:0] address, input [31:0] data);
        begin
            @(negedge aclk[device]);
            awvalid[device] = 1'b1; wvalid[device] = 1'b1; awaddr = address; wdata = data; bready[device] = 1'b1;
            while (awvalid[device] || wvalid[device]) begin
                // Ready comes from a register: as it is now, it is at the next edge.
                taken_a = awready[device];
                taken_w = wready[device];
                @(negedge aclk[device]);
                if (taken_a) awvalid[device] = 1'b0;
                if (taken_w) wvalid[device] = 1'b0;
            end
            while (!bvalid[device]) @(negedge aclk[device]);
            if (bresp[2*device +: 2] !== 2'b00) fail("a write was refused");
            @(negedge aclk[device]);
            bready[device] = 1'b0;
        end
    endtask

    task read(input integer device, input [11:0] address);
        begin
            @(negedge aclk[device]);
            arvalid[device] = 1'b1; araddr = address; rready[device] = 1'b1;
            while (!arready[device]) @(negedge aclk[device]);
            @(negedge aclk[device]);
            arvalid[device] = 1'b0;
            while (!rvalid[device]) @(negedge aclk[device]);
            value = rdata[32*device +: 32];
            if (rresp[2*device +: 2] !== 2'b00) fail("a read was refused");
            @(negedge aclk[device]);
            rready[device] = 1'b0;
        end
    endtask

    task expect_register(input integer device, input [11:0] address, input [31:0] wanted, input [8*40-1:0] name);
        begin
            read(device, address);
            if (value !== wanted) begin
                $display("device %0d: %0s is %0d, it should be %0d", device, name, value, wanted);
                fail("a register is wrong");
            end
        end
    endtask

    task soft_reset(input integer device);
        begin
            write(device, `REG_COMMAND, 32'd1);
            value = 32'd2;
            for (i = 0; i < 1000000 && value[1]; i = i + 1) begin
                repeat (10) @(negedge aclk[device]);
                read(device, `REG_STATUS);
            end
            if (value[1] !== 1'b0)
                fail("a soft reset does not end");
        end
    endtask

`ifdef RING_LOADS
    reg [115:0] load [0:`RING_LOADS-1]; // {part, memory, slice, address, data}
    task load_memories;
        begin
            $readmemh("mem/load.hex", load);
            for (i = 0; i < `RING_LOADS; i = i + 1) begin
                d = `SYSTEM_DEVICE_OF(load[i][115:108]);
                write(d, `REG_WEIGHT_MEMORY, {16'd0, load[i][115:100]} - (`SYSTEM_FIRST_OF(load[i][115:108]) << 8));
                write(d, `REG_WEIGHT_SLICE, {22'd0, load[i][97:88]});
                write(d, `REG_WEIGHT_ADDRESS, {16'd0, load[i][87:72]});
                write(d, `REG_WEIGHT_DATA_0, load[i][31:0]);
                write(d, `REG_WEIGHT_DATA_1, load[i][63:32]);
                write(d, `REG_WEIGHT_DATA_2, {24'd0, load[i][71:64]});
                write(d, `REG_WEIGHT_COMMIT, 32'd1);
            end
        end
    endtask
`endif

    function integer stretched(input integer planned);
        integer r;
        begin
            r = $random(clock_seed);
            stretched = spread == 0 ? planned : planned * (600 + (r & 32'h7fffffff) % 1300) / 1000;
        end
    endfunction

    function integer phase(input integer period);
        integer r;
        begin
            r = $random(clock_seed);
            phase = (r & 32'h7fffffff) % period;
        end
    endfunction

    initial begin
        if (!$value$plusargs("stalls=%d", stalls)) stalls = 0;
        if (!$value$plusargs("seed=%d", seed)) seed = 1;
        if (!$value$plusargs("clocks=%d", spread)) spread = 0;
        if (!$value$plusargs("passes=%d", passes)) passes = 2;
        if (!$value$plusargs("most=%d", most)) most = 0;
        if (!$value$plusargs("lane_fault=%d", faulty)) faulty = 32'hffffffff;
        in_seed = seed;
        out_seed = seed + 1000;
        clock_seed = spread + 100;
        `SYSTEM_PERIODS
        for (d = 0; d < DEVICES; d = d + 1) begin
            bus_ps[d] = stretched(bus_ps[d]);
            engine_ps[d] = stretched(engine_ps[d]);
            bus_at[d] = phase(bus_ps[d]);
            engine_at[d] = phase(engine_ps[d]);
        end
        for (e = 0; e < 2 * LINKS; e = e + 1) begin
            link_ps[e] = stretched(link_ps[e]);
            link_at[e] = phase(link_ps[e]);
        end
        // The line is as fast as the slower end.
        for (e = 0; e < LINKS; e = e + 1)
            word_ps[32*e +: 32] = link_ps[2*e] > link_ps[2*e+1] ? link_ps[2*e] : link_ps[2*e+1];
        running = 1'b1;
        hit = 0; beat = 0; idle = 0; errors = 0; event_errors = 0; events = 0; refused = 0; damaged = 0; going = 1'b0; word = 0; part = 0;
        pass = 0; took = 0; ended = 1'b0;
        $readmemh("mem/hits.hex", hits);
        $readmemh("mem/expect.hex", expect_word);
        #1000 aresetn = 1'b1;
        #1000;
        `SYSTEM_CHECKS
        for (pass = 0; pass < passes; pass = pass + 1) begin
            if (pass == 0) begin
`ifdef RING_LOADS
                load_memories;
`endif
                `SYSTEM_START_PAGES
                for (d = 0; d < DEVICES; d = d + 1)
                    write(d, `REG_INTERRUPT, 32'hffffffff);
            end
            hit = 0; beat = 0; events = 0; refused = 0; word = 0; part = 0; idle = 0; first_at = 0; damaged = 0;
            going = 1'b1;
            if (pass > 0) // while events are under way, the first device first
                for (d = 0; d < DEVICES; d = d + 1) begin
                    while (beat < `RING_BEATS * (2 * d + 1) / (2 * DEVICES)) @(negedge result_clk);
                    soft_reset(d);
                end
            while (beat < `RING_BEATS || events < `RING_EVENTS) @(negedge result_clk);
            going = 1'b0;
            if (pass == 0)
                took = (last_at - first_at) * 1000.0 / engine_ps[0];
            if (errors != 0 || events != `RING_EVENTS || hit != `RING_HITS)
                fail("results differ");
            for (d = 0; d < DEVICES; d = d + 1) begin
                write(d, `REG_COMMAND, 32'd2);
                for (i = 0; i < 100; i = i + 1) @(negedge engine_clk[d]);
                for (i = 0; i < 20; i = i + 1) @(negedge aclk[d]);
                expect_register(d, `REG_EVENTS_LO, (pass + 1) * `RING_EVENTS, "EVENTS");
                expect_register(d, `REG_REFUSED_LO, (pass + 1) * refused, "REFUSED");
                expect_register(d, `REG_FAULTS_LO, 32'd0, "FAULTS");
                if (faulty >= 2 * LINKS)
                    expect_register(d, `REG_ERRORS_LO, 32'd0, "ERRORS");
            end
            if (pass == 0 && faulty < 2 * LINKS) begin
                // Seen by the device at the lane's end; what leads back has credit, which comes again.
                if (faulty % 2 == 0) begin
                    read(faulty / 2 + 1, `REG_STATUS);
                    if (!value[`SYSTEM_LINK_FAULT])
                        fail("STATUS.LINK_FAULT is not up");
                    read(faulty / 2 + 1, `REG_INTERRUPT);
                    if (!value[`SYSTEM_LINK_INTERRUPT])
                        fail("INTERRUPT.LINK_FAULT is not up");
                end
                if (damaged > 2 || (damaged == 0) != (faulty % 2 == 1))
                    fail("another number of events is in error");
                faulty = 32'hffffffff;
                passes = 1;
            end else begin
                `SYSTEM_LINK_CHECKS
            end
        end
        $display("PASS: %0d devices, %0d times %0d events (%0d refused, %0d in error), %0d hits, %0d transfers, every word equal; %0.0f cycles of the engine",
            DEVICES, passes, events, refused, damaged, hit, beat, took);
        if (most != 0 && took > most)
            $display("FAIL: %0d cycles are allowed", most);
        $finish;
    end

    // Hits: a word that is offered stays until it is taken.
    always @(posedge hit_clk) begin : send
        if (s_valid && s_ready) begin
            s_valid <= 1'b0;
            if (first_at == 0)
                first_at = $realtime;
        end
        in_pauses = ($unsigned($random(in_seed)) % 100) < stalls;
        if (going && (!s_valid || s_ready) && hit < `RING_HITS && !in_pauses) begin
            s_valid <= 1'b1;
            s_data  <= {BITS{1'b0}};
            s_keep  <= {BYTES{1'b0}};
            s_last  <= 1'b0;
            event_ends = 1'b0;
            if (HIT_WORDS > 1) begin
                s_data <= hits[hit][HIT_BITS-1:0] >> (BITS * word);
                s_keep <= {BYTES{1'b1}};
                word = word + 1;
                if (word == HIT_WORDS) begin
                    s_last <= hits[hit][HIT_BITS];
                    hit  = hit + 1;
                    word = 0;
                end
            end else begin
                for (slot = 0; slot < HIT_SLOTS && !event_ends && hit < `RING_HITS; slot = slot + 1) begin
                    s_data[8*HIT_BYTES*slot +: HIT_BITS] <= hits[hit][HIT_BITS-1:0];
                    s_keep[HIT_BYTES*slot +: HIT_BYTES]  <= {HIT_BYTES{1'b1}};
                    event_ends = hits[hit][HIT_BITS];
                    hit = hit + 1;
                end
                s_last <= event_ends;
            end
        end
    end

    task event_end(input [1:0] user);
        begin
            events  = events + 1;
            refused = refused + user[0];
            damaged = damaged + user[1];
            if (user[1] && faulty < 2 * LINKS)
                // It ended where it was cut.
                while (beat < `RING_BEATS && !expect_word[beat-1][OUT_BITS])
                    beat = beat + 1;
            else begin
                if (event_errors != 0 || user !== {1'b0, expected[OUT_BITS+1]})
                    $display("event %0d: %0d transfers differ; the last one is %h, user %b; expected %h, refused %b", events - 1, event_errors,
                        result, user, expected[OUT_BITS-1:0], expected[OUT_BITS+1]);
                errors = errors + event_errors + (user !== {1'b0, expected[OUT_BITS+1]});
            end
            event_errors = 0;
            ended = 1'b0;
        end
    endtask

    task compare(input last, input [1:0] user);
        begin
            expected = expect_word[beat < `RING_BEATS ? beat : 0];
            wrong = beat >= `RING_BEATS || (STATUS == 0 && last !== expected[OUT_BITS]);
            for (lane = 0; lane < LANES; lane = lane + 1)
                if (expected[OUT_BITS+2+lane] !== 1'b0 && result[lane*OUT_LANE +: OUT_LANE] !== expected[lane*OUT_LANE +: OUT_LANE])
                    wrong = 1'b1;
            event_errors = event_errors + wrong;
            beat  = beat + 1;
            ended = expected[OUT_BITS];
            if (STATUS == 0 && last === 1'b1)
                event_end(user);
        end
    endtask

    always @(posedge result_clk) begin : receive
        out_pauses = ($unsigned($random(out_seed)) % 100) < stalls;
        m_ready <= !out_pauses;
        if (m_valid && m_ready)
            last_at = $realtime;
        idle = !going || (m_valid && m_ready) ? 0 : idle + 1;
        if (idle > 12 * `RING_WATCHDOG)
            fail("nothing came for too long");
        if (aresetn && m_valid && m_ready) begin
            if (STATUS != 0 && m_last)
                event_end(m_data[1:0]);
            else if (OUT_WORDS > 1) begin
                result = part == 0 ? m_data : result | (m_data << (OUT_BUS * part));
                part   = part + 1;
                if (part == OUT_WORDS) begin
                    part = 0;
                    compare(m_last, m_user);
                end else if (m_last)
                    fail("an event ended inside a result");
            end else
                for (slot = 0; slot < OUT_SLOTS; slot = slot + 1)
                    if (STATUS != 0 ? !ended : m_keep[OUT_BYTES*slot]) begin
                        result = m_data >> (8 * OUT_BYTES * slot);
                        // The word's last slot that is used has the event's end.
                        compare(m_last && (slot == OUT_SLOTS - 1 || !m_keep[OUT_BYTES*(slot == OUT_SLOTS - 1 ? 0 : slot + 1)]), m_user);
                    end
        end
    end
endmodule

`default_nettype wire
