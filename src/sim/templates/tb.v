// Self-checking test bench of a ring: sends mem/hits.hex through s_hit and compares m_out with mem/expect.hex, word by word.
// Runs from the design's directory in any Verilog simulator; prints PASS with counts as its last word, or FAIL.
//   +stalls=P +seed=S  pauses both streams in P percent of the cycles. (+memory_...: ts_sim_memory.v, of a design with pages.)
`timescale 1ns / 1ps
`default_nettype none
`include "ring.vh"

module tb;
    localparam HIT_BITS = `RING_HIT_BITS;
    localparam LANES    = `RING_LANES;
    localparam OUT_LANE = `RING_OUT_LANE;
    localparam OUT_BITS = LANES * OUT_LANE;

    reg                  clk = 1'b0, rst = 1'b1;
    reg                  s_valid = 1'b0;
    reg                  m_ready = 1'b0;
    wire                 s_ready, m_valid, m_last, m_refused, m_error;
    wire [OUT_BITS-1:0]  m_data;
    reg                  cfg_we = 1'b0;
    reg  [7:0]           cfg_mem = 8'd0;
    reg  [9:0]           cfg_slice = 10'd0;
    reg  [15:0]          cfg_addr = 16'd0;
    reg  [71:0]          cfg_data = 72'd0;
`ifdef RING_PARTS
    localparam           LOAD_BITS = 116;
    reg  [7:0]           cfg_part = 8'd0;
    wire [`RING_PARTS-2:0] cut_valid, cut_ready, cut_last;
    wire [`RING_PARTS-1:0] part_gives, fault;
`else
    localparam           LOAD_BITS = 108;
    wire                 fault;
`endif

`ifdef RING_PAGED_RINGS
    wire [`RING_PAGED_RINGS-1:0]     page_error;
    wire [`RING_PAGED_RINGS*16-1:0]  page_retries;
    wire [`RING_PAGED_STAGES-1:0]    page_late;
    wire [`RING_PAGED_STAGES*32-1:0] page_stalls;
`endif

    reg [HIT_BITS:0]       hits [0:`RING_HITS-1];   // {last, data}
    reg [OUT_BITS+LANES+1:0] expect_word [0:`RING_BEATS-1]; // {used lanes, refused, last, data}
    reg [OUT_BITS+LANES+1:0] expected;
    reg [31:0]             hit, beat, idle, errors, events, refused, stalls, lane;
    reg                    same;
    integer                seed, file, i;

    wire [HIT_BITS:0] current = hits[hit < `RING_HITS ? hit : 0];

    `RING_TOP top (
        .clk(clk), .rst(rst),
        .s_hit_valid(s_valid), .s_hit_ready(s_ready), .s_hit_data(current[HIT_BITS-1:0]), .s_hit_last(current[HIT_BITS]),
        .s_hit_refused(1'b0), .s_hit_error(1'b0),
        .m_out_valid(m_valid), .m_out_ready(m_ready), .m_out_data(m_data), .m_out_last(m_last), .m_out_refused(m_refused), .m_out_error(m_error), .fault(fault),
`ifdef RING_PARTS
        .cfg_part(cfg_part), .cut_valid(cut_valid), .cut_ready(cut_ready), .cut_last(cut_last),
        .hold({`RING_PARTS{1'b0}}), .part_gives(part_gives),
`endif
`ifdef RING_PAGED_RINGS
        .page_run(1'b1), .page_next(1'b0), .page_idle(), .page_error(page_error), .page_retries(page_retries), .page_late(page_late), .page_stalls(page_stalls),
`endif
        .cfg_we(cfg_we), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), .cfg_addr(cfg_addr), .cfg_data(cfg_data));

    always #2 clk = !clk;

    task fail(input [8*80-1:0] message);
        begin
            $display("FAIL: %0s (%0d hits in, %0d of %0d transfers out, %0d wrong)", message, hit, beat, `RING_BEATS, errors);
            $finish;
        end
    endtask

    task check_image(input [8*80-1:0] name);
        begin
            file = $fopen(name, "r");
            if (file == 0)
                $display("missing: %0s", name);
            if (file == 0)
                errors = errors + 1;
            else
                $fclose(file);
        end
    endtask

`ifdef RING_LOADS
    reg [LOAD_BITS-1:0] load [0:`RING_LOADS-1]; // {part, memory, slice, address, data}
    task load_memories;
        begin
            $readmemh("mem/load.hex", load);
            for (i = 0; i < `RING_LOADS; i = i + 1) begin
                @(negedge clk);
                cfg_we    = 1'b1;
`ifdef RING_PARTS
                cfg_part  = load[i][115:108];
`endif
                cfg_mem   = load[i][107:100];
                cfg_slice = load[i][97:88];
                cfg_addr  = load[i][87:72];
                cfg_data  = load[i][71:0];
            end
            @(negedge clk);
            cfg_we = 1'b0;
        end
    endtask
`endif

    initial begin
        hit     = 0;
        beat    = 0;
        idle    = 0;
        errors  = 0;
        events  = 0;
        refused = 0;
        if (!$value$plusargs("stalls=%d", stalls))
            stalls = 0;
        if (!$value$plusargs("seed=%d", seed))
            seed = 1;
        `RING_CHECK_IMAGES
        if (errors != 0)
            fail("memory images are missing: run from the design's directory");
        $readmemh("mem/hits.hex", hits);
        $readmemh("mem/expect.hex", expect_word);
        repeat (8) @(posedge clk);
`ifdef RING_LOADS
        load_memories;
`endif
        @(posedge clk);
        rst <= 1'b0;
    end

    always @(posedge clk)
        if (!rst) begin
            // A word that is offered stays until it is taken; otherwise this cycle may pause.
            if (s_valid && s_ready)
                hit = hit + 1;
            if (!s_valid || s_ready)
                s_valid <= hit < `RING_HITS && ($unsigned($random(seed)) % 100) >= stalls;
            m_ready <= ($unsigned($random(seed)) % 100) >= stalls;

            idle = (s_valid && s_ready) || (m_valid && m_ready) ? 0 : idle + 1;
            if (idle > `RING_WATCHDOG)
                fail("nothing moved for too long");

            if (|fault !== 1'b0)
                fail("fault is up: a buffer overflowed or ran empty");
            if (m_valid !== 1'b0 && m_valid !== 1'b1)
                fail("m_out_valid is unknown");
            if (m_valid && m_ready) begin
                expected = expect_word[beat];
                same     = m_last === expected[OUT_BITS] && m_refused === expected[OUT_BITS+1] && m_error === 1'b0;
                for (lane = 0; lane < LANES; lane = lane + 1)
                    if (expected[OUT_BITS+2+lane] !== 1'b0 && m_data[lane*OUT_LANE +: OUT_LANE] !== expected[lane*OUT_LANE +: OUT_LANE])
                        same = 1'b0;
                if (!same) begin
                    if (errors < 10)
                        $display("transfer %0d: %h, last %b, refused %b, error %b; expected %h, last %b, refused %b", beat, m_data, m_last, m_refused,
                            m_error, expected[OUT_BITS-1:0], expected[OUT_BITS], expected[OUT_BITS+1]);
                    errors = errors + 1;
                end
                beat = beat + 1;
                if (m_last === 1'b1)
                    events = events + 1;
                if (m_refused === 1'b1)
                    refused = refused + 1;
                if (beat == `RING_BEATS) begin
                    if (errors != 0 || events != `RING_EVENTS || hit != `RING_HITS)
                        fail("results differ");
`ifdef RING_PAGED_RINGS
                    else if (page_error !== {`RING_PAGED_RINGS{1'b0}} || page_retries !== {`RING_PAGED_RINGS*16{1'b0}})
                        fail("pages were fetched again, or given up");
`endif
                    else
                        $display("PASS: %0d events (%0d refused), %0d hits, %0d transfers, every word equal", events, refused, hit, beat);
                    $finish;
                end
            end
        end
endmodule

`default_nettype wire
