// Self-checking test bench of a board's top: mem/hits.hex through s_axis_hits, m_axis_results against mem/expect.hex, word by word, counters read
// through s_axi_control; the bus and the engine have clocks of their own. Runs from the package's directory in any Verilog simulator; prints
// PASS with counts as its last word, or FAIL. Where hits or results are a link's, the bench has its other end: a ts_link_io in a clock of its own,
// behind modelled lanes.
//   +stalls=P +seed=S   pauses both streams in P percent of the cycles
//   +bus=PS +engine=PS +link=PS  periods in picoseconds (those that were planned for)
//   +passes=N           all events so many times, with a soft reset in between (2); of a package with other weights once more with these,
//                       loaded as docs/boards.md says
//   +most=CYCLES        of the engine, from the first hit taken to the last result, that the first pass may take
`timescale 1ns / 1ps
`default_nettype none
`include "ring.vh"
`include "board.vh"
`include "registers.vh"

module tb;
    localparam HIT_BITS  = `RING_HIT_BITS;
    localparam LANES     = `RING_LANES;
    localparam OUT_LANE  = `RING_OUT_LANE;
    localparam OUT_BITS  = LANES * OUT_LANE;
`ifdef BOARD_STATUS_WORD
    localparam STATUS    = 1;
`else
    localparam STATUS    = 0;
`endif
    // Slots of ts_axis_in and ts_axis_out: so many a word, or so many words each. Tokens of a link are a word each.
`ifdef BOARD_BEFORE_WORD
    localparam BITS      = HIT_BITS;
    localparam HIT_BYTES = 1;
    localparam HIT_SLOTS = 1;
    localparam HIT_WORDS = 1;
`else
    localparam BITS      = `BOARD_BITS;
    localparam HIT_BYTES = HIT_BITS <= 8 ? 1 : 1 << $clog2((HIT_BITS + 7) / 8);
    localparam HIT_SLOTS = HIT_BITS > BITS ? 1 : BITS / 8 / HIT_BYTES;
    localparam HIT_WORDS = HIT_BITS > BITS ? (HIT_BITS + BITS - 1) / BITS : 1;
`endif
    localparam BYTES     = (BITS + 7) / 8;
`ifdef BOARD_AFTER_WORD
    localparam OUT_BUS   = OUT_BITS;
    localparam OUT_BYTES = 1;
    localparam OUT_SLOTS = 1;
    localparam OUT_WORDS = 1;
`else
    localparam OUT_BUS   = `BOARD_BITS;
    localparam OUT_BYTES = OUT_BITS <= 8 ? 1 : 1 << $clog2((OUT_BITS + 7) / 8);
    localparam OUT_SLOTS = OUT_BITS > OUT_BUS ? 1 : OUT_BUS / 8 / OUT_BYTES;
    localparam OUT_WORDS = OUT_BITS > OUT_BUS ? (OUT_BITS + OUT_BUS - 1) / OUT_BUS : 1;
`endif

    reg               aclk = 1'b0, engine_clk = 1'b0, aresetn = 1'b0;
    reg               s_valid = 1'b0, s_last = 1'b0, s_refused = 1'b0, m_ready = 1'b0;
    reg  [BITS-1:0]   s_data = {BITS{1'b0}};
    reg  [BYTES-1:0]  s_keep = {BYTES{1'b0}};
    wire              s_ready, m_valid, m_last, interrupt;
    wire [OUT_BUS-1:0]         m_data;
    wire [(OUT_BUS+7)/8-1:0]   m_keep;
    wire [1:0]        m_user;
    reg               awvalid = 1'b0, wvalid = 1'b0, bready = 1'b0, arvalid = 1'b0, rready = 1'b0;
    wire              awready, wready, bvalid, arready, rvalid;
    reg  [11:0]       awaddr = 12'd0, araddr = 12'd0;
    reg  [31:0]       wdata = 32'd0;
    wire [31:0]       rdata;
    wire [1:0]        bresp, rresp;

    reg [HIT_BITS:0]         hits [0:`RING_HITS-1];          // {last, data}
    reg [OUT_BITS+LANES+1:0] expect_word [0:`RING_BEATS-1];  // {used lanes, refused, last, data}
    reg [OUT_BITS+LANES+1:0] expected;
    reg [OUT_BITS-1:0]       result;
    reg [31:0] hit, word, slot, beat, part, idle, errors, events, refused, stalls, lane, pass, passes, value;
    reg [31:0] given; // results of the event so far
    reg        ended; // all of them have come
    reg        going, event_ends, wrong, taken_a, taken_w, in_pauses, out_pauses;
    integer    seed, in_seed, out_seed, file, i;
    real       bus_period, engine_period, first_at, last_at, took;
    integer    picoseconds, most, ahead;

    // AXI's rules at every port (rtl/check of the source tree): the first break ends the run.
    wire [2:0] unused_addresses, unused_words, unused_reads;
    ts_axil_check #(.ADDRW(12)) check_control (
        .clk(aclk), .rst(!aresetn), .awvalid(awvalid), .awready(awready), .awaddr(awaddr), .wvalid(wvalid), .wready(wready), .wdata(wdata),
        .wstrb(4'hf), .bvalid(bvalid), .bready(bready), .bresp(bresp), .arvalid(arvalid), .arready(arready), .araddr(araddr),
        .rvalid(rvalid), .rready(rready), .rdata(rdata), .rresp(rresp), .addresses(unused_addresses), .words(unused_words),
        .reads(unused_reads));
`ifndef BOARD_BEFORE_WORD
    ts_axi_stream_check #(.DATAW(BITS), .SLOT(HIT_SLOTS > 1 ? HIT_BYTES : BYTES)) check_hits (
        .clk(aclk), .rst(!aresetn), .tvalid(s_valid), .tready(s_ready), .tdata(s_data), .tkeep(s_keep), .tlast(s_last), .tuser(1'b0));
`endif
`ifndef BOARD_AFTER_WORD
    ts_axi_stream_check #(.DATAW(OUT_BUS), .SLOT(OUT_SLOTS > 1 ? OUT_BYTES : OUT_BUS / 8), .USERW(2)) check_results (
        .clk(aclk), .rst(!aresetn), .tvalid(m_valid), .tready(m_ready), .tdata(m_data), .tkeep(m_keep), .tlast(m_last), .tuser(m_user));
`endif

    // ---- Links: the other ends are in aclk, beside the bench
`ifdef BOARD_BEFORE_WORD
    reg                           before_clk = 1'b0, far_before_clk = 1'b0, before_up = 1'b0;
    real                          before_period;
    wire                          before_in, before_out, before_out_ready, far_before_in, far_before_out, far_before_out_ready;
    wire [`BOARD_BEFORE_WORD-1:0] before_in_word, before_out_word, far_before_in_word, far_before_out_word;
    wire                          far_before_rst;
    always #(before_period / 2) before_clk = !before_clk;
    always #(before_period * 0.501) far_before_clk = !far_before_clk; // a little slower
    ts_reset before_reset (.clk(far_before_clk), .arst(!aresetn), .rst(far_before_rst));
    ts_link_io #(.SEND(1), .RECEIVE(0), `BOARD_BEFORE_PARAMETERS) before (
        .clk(aclk), .rst(!aresetn), .s_valid(s_valid), .s_ready(s_ready), .s_data(s_data), .s_last(s_last), .s_refused(s_refused), .s_error(1'b0),
        .m_valid(), .m_ready(1'b0), .m_data(), .m_last(), .m_refused(), .m_error(), .up(), .fault(), .counts(), .link_clk(far_before_clk),
        .link_rst(far_before_rst), .link_up(before_up), .s_axis_tvalid(far_before_in), .s_axis_tdata(far_before_in_word),
        .m_axis_tvalid(far_before_out), .m_axis_tready(far_before_out_ready), .m_axis_tdata(far_before_out_word));
    ts_sim_lane #(.WIDTH(`BOARD_BEFORE_WORD), .LATENCY(`BOARD_BEFORE_FLIGHT), .NUMBER(0)) before_lane (
        .word($rtoi(before_period * 1002.0)), .s_clk(far_before_clk), .s_valid(far_before_out), .s_ready(far_before_out_ready),
        .s_data(far_before_out_word), .m_clk(before_clk), .m_valid(before_in), .m_data(before_in_word));
    ts_sim_lane #(.WIDTH(`BOARD_BEFORE_WORD), .LATENCY(`BOARD_BEFORE_FLIGHT), .NUMBER(1)) before_back_lane (
        .word($rtoi(before_period * 1002.0)), .s_clk(before_clk), .s_valid(before_out), .s_ready(before_out_ready),
        .s_data(before_out_word), .m_clk(far_before_clk), .m_valid(far_before_in), .m_data(far_before_in_word));
`endif
`ifdef BOARD_AFTER_WORD
    reg                          after_clk = 1'b0, far_after_clk = 1'b0, after_up = 1'b0;
    real                         after_period;
    wire                         after_in, after_out, after_out_ready, far_after_in, far_after_out, far_after_out_ready;
    wire [`BOARD_AFTER_WORD-1:0] after_in_word, after_out_word, far_after_in_word, far_after_out_word;
    wire                         far_after_rst;
    always #(after_period / 2) after_clk = !after_clk;
    always #(after_period * 0.501) far_after_clk = !far_after_clk;
    ts_reset after_reset (.clk(far_after_clk), .arst(!aresetn), .rst(far_after_rst));
    ts_link_io #(.SEND(0), .RECEIVE(1), `BOARD_AFTER_PARAMETERS) after (
        .clk(aclk), .rst(!aresetn), .s_valid(1'b0), .s_ready(), .s_data({OUT_BITS{1'b0}}), .s_last(1'b0), .s_refused(1'b0), .s_error(1'b0),
        .m_valid(m_valid), .m_ready(m_ready), .m_data(m_data), .m_last(m_last), .m_refused(m_user[0]), .m_error(m_user[1]), .up(), .fault(),
        .counts(), .link_clk(far_after_clk), .link_rst(far_after_rst), .link_up(after_up), .s_axis_tvalid(far_after_in),
        .s_axis_tdata(far_after_in_word), .m_axis_tvalid(far_after_out), .m_axis_tready(far_after_out_ready),
        .m_axis_tdata(far_after_out_word));
    assign m_keep = {(OUT_BUS+7)/8{1'b1}};
    ts_sim_lane #(.WIDTH(`BOARD_AFTER_WORD), .LATENCY(`BOARD_AFTER_FLIGHT), .NUMBER(2)) after_lane (
        .word($rtoi(after_period * 1002.0)), .s_clk(after_clk), .s_valid(after_out), .s_ready(after_out_ready), .s_data(after_out_word),
        .m_clk(far_after_clk), .m_valid(far_after_in), .m_data(far_after_in_word));
    ts_sim_lane #(.WIDTH(`BOARD_AFTER_WORD), .LATENCY(`BOARD_AFTER_FLIGHT), .NUMBER(3)) after_back_lane (
        .word($rtoi(after_period * 1002.0)), .s_clk(far_after_clk), .s_valid(far_after_out), .s_ready(far_after_out_ready),
        .s_data(far_after_out_word), .m_clk(after_clk), .m_valid(after_in), .m_data(after_in_word));
`endif

    `BOARD_TOP top (
        .aclk(aclk), .aresetn(aresetn), .engine_clk(engine_clk), .interrupt(interrupt),
        .s_axi_control_awvalid(awvalid), .s_axi_control_awready(awready), .s_axi_control_awaddr(awaddr), .s_axi_control_awprot(3'd0),
        .s_axi_control_wvalid(wvalid), .s_axi_control_wready(wready), .s_axi_control_wdata(wdata), .s_axi_control_wstrb(4'hf),
        .s_axi_control_bvalid(bvalid), .s_axi_control_bready(bready), .s_axi_control_bresp(bresp), .s_axi_control_arvalid(arvalid),
        .s_axi_control_arready(arready), .s_axi_control_araddr(araddr), .s_axi_control_arprot(3'd0), .s_axi_control_rvalid(rvalid),
        .s_axi_control_rready(rready), .s_axi_control_rdata(rdata), .s_axi_control_rresp(rresp)
`ifdef BOARD_BEFORE_WORD
        , `BOARD_BEFORE_PORTS
`else
        , .s_axis_hits_tvalid(s_valid), .s_axis_hits_tready(s_ready), .s_axis_hits_tdata(s_data), .s_axis_hits_tkeep(s_keep),
        .s_axis_hits_tlast(s_last)
`endif
`ifdef BOARD_AFTER_WORD
        , `BOARD_AFTER_PORTS
`else
        , .m_axis_results_tvalid(m_valid), .m_axis_results_tready(m_ready), .m_axis_results_tdata(m_data),
        .m_axis_results_tkeep(m_keep), .m_axis_results_tlast(m_last), .m_axis_results_tuser(m_user)
`endif
    );

    always #(bus_period / 2) aclk = !aclk;
    always #(engine_period / 2) engine_clk = !engine_clk;

    task fail(input [8*80-1:0] message);
        begin
            $display("FAIL: %0s (pass %0d: %0d hits in, %0d of %0d transfers out, %0d wrong)", message, pass, hit, beat, `RING_BEATS, errors);
            $finish;
        end
    endtask

    task check_image(input [8*80-1:0] name);
        begin
            file = $fopen(name, "r");
            if (file == 0) begin
                $display("missing: %0s", name);
                errors = errors + 1;
            end else
                $fclose(file);
        end
    endtask

    task write(input [11:0] address, input [31:0] data);
        begin
            @(negedge aclk);
            awvalid = 1'b1; wvalid = 1'b1; awaddr = address; wdata = data; bready = 1'b1;
            while (awvalid || wvalid) begin
                // Ready comes from a register: as it is now, it is at the next edge.
                taken_a = awready;
                taken_w = wready;
                @(negedge aclk);
                if (taken_a) awvalid = 1'b0;
                if (taken_w) wvalid = 1'b0;
            end
            while (!bvalid) @(negedge aclk);
            if (bresp !== 2'b00) fail("a write was refused");
            @(negedge aclk);
            bready = 1'b0;
        end
    endtask

    task read(input [11:0] address);
        begin
            @(negedge aclk);
            arvalid = 1'b1; araddr = address; rready = 1'b1;
            while (!arready) @(negedge aclk);
            @(negedge aclk);
            arvalid = 1'b0;
            while (!rvalid) @(negedge aclk);
            value = rdata;
            if (rresp !== 2'b00) fail("a read was refused");
            @(negedge aclk);
            rready = 1'b0;
        end
    endtask

    task expect_register(input [11:0] address, input [31:0] wanted, input [8*40-1:0] name);
        begin
            read(address);
            if (value !== wanted) begin
                $display("%0s is %0d, it should be %0d", name, value, wanted);
                fail("a register is wrong");
            end
        end
    endtask

`ifdef RING_LOADS
`ifdef RING_PARTS
    localparam LOAD_BITS = 116;
`else
    localparam LOAD_BITS = 108;
`endif
    reg [LOAD_BITS-1:0] load [0:`RING_LOADS-1]; // {part, memory, slice, address, data}
    task load_memories;
        begin
            $readmemh("mem/load.hex", load);
            for (i = 0; i < `RING_LOADS; i = i + 1) begin
`ifdef RING_PARTS
                write(`REG_WEIGHT_MEMORY, {16'd0, load[i][115:100]});
`else
                write(`REG_WEIGHT_MEMORY, {24'd0, load[i][107:100]});
`endif
                write(`REG_WEIGHT_SLICE, {22'd0, load[i][97:88]});
                write(`REG_WEIGHT_ADDRESS, {16'd0, load[i][87:72]});
                write(`REG_WEIGHT_DATA_0, load[i][31:0]);
                write(`REG_WEIGHT_DATA_1, load[i][63:32]);
                write(`REG_WEIGHT_DATA_2, {24'd0, load[i][71:64]});
                write(`REG_WEIGHT_COMMIT, 32'd1);
            end
        end
    endtask
`endif

    task soft_reset;
        begin
            write(`REG_COMMAND, 32'd1);
            value = 32'd2;
            for (i = 0; i < 20000 && value[1]; i = i + 1) begin
                repeat (10) @(negedge aclk);
                read(`REG_STATUS);
            end
            if (value[1] !== 1'b0)
                fail("a soft reset does not end");
        end
    endtask

`ifdef BOARD_NEXT_WRITES
    localparam LATER = 1;
    reg [115:0] next [0:`BOARD_NEXT_WRITES-1]; // {ring, memory, slice, address, data}
    reg [115:0] one, previous;
    // Waits for bit `which` of STATUS.
    task wait_status(input integer which);
        begin
            value = 32'd0;
            for (i = 0; i < 20000 && !value[which]; i = i + 1)
                read(`REG_STATUS);
            if (value[which] !== 1'b1)
                fail("STATUS does not say that all stands still");
        end
    endtask
    // As a driver does it: nothing enters, all has left, pages stand still; then words, in order; then the rings and the buffers of pages anew.
    task switch_weights;
        begin
            $readmemh("mem/next.hex", next);
            $readmemh("mem/next_expect.hex", expect_word);
            write(`REG_CONTROL, 32'd0);
            wait_status(0);
`ifdef BOARD_PAGES
            repeat (2000) @(negedge aclk); // old pages are in all buffers
            write(`REG_PAGE_RUN, 32'd0);
            wait_status(4);
`endif
            write(`REG_WEIGHT_COMMIT, 32'd4);
            previous = {116{1'b1}};
            for (i = 0; i < `BOARD_NEXT_WRITES; i = i + 1) begin
                one = next[i];
                if (one[115:88] != previous[115:88]) begin
                    write(`REG_WEIGHT_MEMORY, {16'd0, one[115:100]});
                    write(`REG_WEIGHT_SLICE, {22'd0, one[97:88]});
                    write(`REG_WEIGHT_ADDRESS, {16'd0, one[87:72]});
                end
                if (one[31:0] != previous[31:0])
                    write(`REG_WEIGHT_DATA_0, one[31:0]);
                if (one[63:32] != previous[63:32])
                    write(`REG_WEIGHT_DATA_1, one[63:32]);
                if (one[71:64] != previous[71:64])
                    write(`REG_WEIGHT_DATA_2, {24'd0, one[71:64]});
                write(`REG_WEIGHT_COMMIT, one[115:88] != previous[115:88] ? 32'd1 : 32'd2);
                previous = one;
            end
            expect_register(`REG_WEIGHT_COUNT, `BOARD_NEXT_WRITES, "WEIGHT_COUNT");
            expect_register(`REG_WEIGHT_CRC, `BOARD_NEXT_CRC, "WEIGHT_CRC");
            expect_register(`REG_WEIGHT_REFUSED, 32'd0, "WEIGHT_REFUSED");
            soft_reset;
            write(`REG_CONTROL, 32'd1);
        end
    endtask
`else
    localparam LATER = 0;
`endif

    initial begin
        bus_period    = `BOARD_BUS_PERIOD;
        engine_period = `BOARD_PERIOD;
        if ($value$plusargs("bus=%d", picoseconds)) bus_period = picoseconds / 1000.0;
        if ($value$plusargs("engine=%d", picoseconds)) engine_period = picoseconds / 1000.0;
`ifdef BOARD_BEFORE_WORD
        before_period = `BOARD_BEFORE_PERIOD;
        if ($value$plusargs("link=%d", picoseconds)) before_period = picoseconds / 1000.0;
`endif
`ifdef BOARD_AFTER_WORD
        after_period = `BOARD_AFTER_PERIOD;
        if ($value$plusargs("link=%d", picoseconds)) after_period = picoseconds * 1.1 / 1000.0;
`endif
        if (!$value$plusargs("most=%d", most)) most = 0;
        if (!$value$plusargs("stalls=%d", stalls)) stalls = 0;
        if (!$value$plusargs("seed=%d", seed)) seed = 1;
        in_seed = seed;
        out_seed = seed + 1000;
        if (!$value$plusargs("passes=%d", passes)) passes = 2;
        hit = 0; beat = 0; idle = 0; errors = 0; events = 0; refused = 0; going = 1'b0; word = 0; part = 0;
        pass = 0;
        given = 0; ended = 1'b0;
        `RING_CHECK_IMAGES
        if (errors != 0)
            fail("memory images are missing: run from the package's directory");
        $readmemh("mem/hits.hex", hits);
        $readmemh("mem/expect.hex", expect_word);
        repeat (8) @(negedge aclk);
        repeat (8) @(negedge engine_clk);
        aresetn = 1'b1;
`ifdef BOARD_BEFORE_WORD
        before_up = 1'b1;
`endif
`ifdef BOARD_AFTER_WORD
        after_up = 1'b1;
`endif
        repeat (40) @(negedge aclk);
        expect_register(`REG_MAGIC, `REG_MAGIC_VALUE, "MAGIC");
        expect_register(`REG_BUILD_LO, `BOARD_BUILD_LO, "BUILD_LO");
        for (pass = 0; pass < passes + LATER; pass = pass + 1) begin
`ifdef BOARD_NEXT_WRITES
            if (pass == passes)
                switch_weights;
`endif
`ifdef RING_LOADS
            if (pass == 0)
                load_memories;
`endif
`ifdef BOARD_START_PAGES
            `BOARD_START_PAGES
`endif
            write(`REG_INTERRUPT, 32'hffffffff);
            first_at = 0;
            hit = 0; beat = 0; events = 0; refused = 0; word = 0; part = 0; idle = 0;
            going = 1'b1;
            while (beat < `RING_BEATS || events < `RING_EVENTS) @(negedge aclk);
            going = 1'b0;
            if (pass == 0)
                took = (last_at - first_at) / engine_period;
            if (errors != 0 || events != `RING_EVENTS || hit != `RING_HITS)
                fail("results differ");
            write(`REG_COMMAND, 32'd2);
            repeat (20) @(negedge aclk);
            expect_register(`REG_EVENTS_LO, (pass + 1) * `RING_EVENTS, "EVENTS");
            expect_register(`REG_REFUSED_LO, (pass + 1) * refused, "REFUSED");
            expect_register(`REG_ERRORS_LO, 32'd0, "ERRORS");
            expect_register(`REG_FAULTS_LO, 32'd0, "FAULTS");
            expect_register(`REG_INTERRUPT, 32'd1, "INTERRUPT");
`ifdef BOARD_BEFORE_WORD
            expect_register(`BOARD_BEFORE_COUNTS, 32'd0, "damaged frames of the link in front");
`endif
`ifdef BOARD_AFTER_WORD
            expect_register(`BOARD_AFTER_COUNTS, 32'd0, "damaged frames of the link behind");
`endif
            soft_reset;
        end
        if (most != 0 && took > most) begin
            $display("%0.0f cycles of the engine; %0d are allowed", took, most);
            fail("too slow");
        end
        $display("PASS: %0d times %0d events (%0d refused), %0d hits, %0d transfers, every word equal; %0.0f cycles of the engine", passes + LATER, events, refused, hit,
            beat, took);
        $finish;
    end

    // Hits: a word that is offered stays until it is taken.
    always @(posedge aclk) begin : send
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
                s_refused <= 1'b0;
`ifdef BOARD_BEFORE_WORD
                // The device in front refuses what is too long: one transfer, which holds nothing.
                ahead = hit;
                if (hit == 0 || hits[hit-1][HIT_BITS])
                    while (!hits[ahead][HIT_BITS])
                        ahead = ahead + 1;
                if (ahead - hit >= `REG_MAX_TOKENS_VALUE) begin
                    hit = ahead;
                    s_refused <= 1'b1;
                end
`endif
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

    task compare(input last, input [1:0] user);
        begin
            expected = expect_word[beat < `RING_BEATS ? beat : 0];
            wrong = beat >= `RING_BEATS ||
                    (STATUS == 0 && (last !== expected[OUT_BITS] || (last && user !== {1'b0, expected[OUT_BITS+1]})));
            for (lane = 0; lane < LANES; lane = lane + 1)
                if (expected[OUT_BITS+2+lane] !== 1'b0 && result[lane*OUT_LANE +: OUT_LANE] !== expected[lane*OUT_LANE +: OUT_LANE])
                    wrong = 1'b1;
            if (wrong) begin
                if (errors < 10)
                    $display("transfer %0d: %h, last %b, user %b; expected %h, last %b, refused %b", beat, result, last, user,
                        expected[OUT_BITS-1:0], expected[OUT_BITS], expected[OUT_BITS+1]);
                errors = errors + 1;
            end
            beat  = beat + 1;
            given = given + 1;
            ended = expected[OUT_BITS];
            if (STATUS == 0 && last === 1'b1) begin
                events  = events + 1;
                refused = refused + user[0];
            end
        end
    endtask

    // The word behind an event's results, which ends it.
    task status_word(input [31:0] status, input [1:0] user);
        begin
            if (!ended || part != 0 || status !== {given[23:0], 7'd0, expected[OUT_BITS+1]} || user !== status[1:0]) begin
                $display("status word %h, user %b, behind %0d results", status, user, given);
                errors = errors + 1;
            end
            events  = events + 1;
            refused = refused + status[0];
            given   = 0;
            ended   = 1'b0;
        end
    endtask

    always @(posedge aclk) begin : receive
        out_pauses = ($unsigned($random(out_seed)) % 100) < stalls;
        m_ready <= !out_pauses;
        if (m_valid && m_ready)
            last_at = $realtime;
        idle = !going || (s_valid && s_ready) || (m_valid && m_ready) ? 0 : idle + 1;
        if (idle > 4 * `RING_WATCHDOG)
            fail("nothing moved for too long");
        if (aresetn && m_valid !== 1'b0 && m_valid !== 1'b1)
            fail("tvalid of the results is unknown");
        if (aresetn && m_valid && m_ready) begin
            if (STATUS != 0 && m_last)
                status_word(m_data[31:0], m_user);
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
