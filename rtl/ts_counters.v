// What a ring has done, in its own clock: COUNT numbers of 64 bits, kept together by `latch` (and shown until the next one, word i at [i*64 +: 64]):
//   0 events whose last result was taken   1 of these refused   2 of these in error (or refused as malformed)
//   3 cycles in which a hit waited for the ring   4 cycles in which a result waited for its taker
//   5 cycles from the first hit of an event to its last result, both included, of the event that ended last
//   6 cycles since reset   7 {fault, sticky since reset}
// They count from reset on, two cycles behind what happens, and are kept at the same edge. EVENTS (>= 2): events inside the ring at most.
// No event begins in the first cycle behind a reset.
`default_nettype none

module ts_counters #(
    parameter EVENTS = 8
) (
    input  wire          clk,
    input  wire          rst,
    input  wire          in_valid,
    input  wire          in_ready,
    input  wire          in_last,
    input  wire          out_valid,
    input  wire          out_ready,
    input  wire          out_last,
    input  wire          out_refused,
    input  wire          out_error,
    input  wire          ring_fault,
    input  wire          latch,
    output reg  [511:0]  count,
    output wire          fault // ts_watch: more events inside than EVENTS, or one that ends and has not begun
);
    localparam CW = $clog2(EVENTS + 1);

    reg           between; // the next hit begins an event
    reg  [63:0]   time_now;
    wire [31:0]   begun_at;
    wire          room, known;
    wire [CW-1:0] unused_count;
    wire          begins = in_valid && in_ready && between;
    wire          ends = out_valid && out_ready && out_last;

    // When each event inside began, oldest first. A result comes after its event's first hit.
    ts_fifo_lut #(.WIDTH(32), .DEPTH(EVENTS)) begun (
        .clk(clk), .rst(rst), .s_valid(begins), .s_ready(room), .s_data(time_now[31:0]),
        .m_valid(known), .m_ready(ends), .m_data(begun_at), .count(unused_count));
    ts_watch #(.N(2)) watch (.clk(clk), .rst(rst), .bad({begins && !room, ends && !known}), .fault(fault));

    // What happened, a register before each counter.
    reg         ended, refused, errored, in_waits, out_waits;
    reg  [31:0] took;
    always @(posedge clk) begin
        ended     <= !rst && ends;
        refused   <= !rst && ends && out_refused;
        errored   <= !rst && ends && out_error;
        in_waits  <= !rst && in_valid && !in_ready;
        out_waits <= !rst && out_valid && !out_ready;
        took      <= time_now[31:0] - begun_at;
    end

    reg [63:0] events, events_refused, events_errored, stall_in, stall_out, last_cycles;
    reg        sticky;
    always @(posedge clk)
        if (rst) begin
            between        <= 1'b1;
            time_now       <= 64'd0;
            events         <= 64'd0;
            events_refused <= 64'd0;
            events_errored <= 64'd0;
            stall_in       <= 64'd0;
            stall_out      <= 64'd0;
            last_cycles    <= 64'd0;
            sticky         <= 1'b0;
        end else begin
            if (in_valid && in_ready)
                between <= in_last;
            time_now       <= time_now + 64'd1;
            events         <= events + {63'd0, ended};
            events_refused <= events_refused + {63'd0, refused};
            events_errored <= events_errored + {63'd0, errored};
            stall_in       <= stall_in + {63'd0, in_waits};
            stall_out      <= stall_out + {63'd0, out_waits};
            if (ended)
                last_cycles <= {32'd0, took} + 64'd1;
            sticky <= sticky || ring_fault;
        end

    always @(posedge clk)
        if (rst)
            count <= 512'd0;
        else if (latch)
            count <= {63'd0, sticky, time_now, last_cycles, stall_out, stall_in, events_errored, events_refused, events};
    wire unused = &{1'b0, unused_count};

`ifdef FORMAL
    // The ring around it: at most EVENTS events inside, none ends that has not begun, none begins in the first cycle behind a reset.
    reg           f_started = 0, f_rst = 1;
    reg  [CW-1:0] f_inside = 0;
    reg  [15:0]   f_begun = 0, f_ended = 0;
    always @(posedge clk) begin
        f_started <= 1;
        f_rst     <= rst;
        f_inside  <= rst ? 0 : f_inside + begins - ends;
        f_ended   <= rst ? 0 : f_ended + (out_valid && out_ready && out_last);
        if (!f_started)
            assume (rst);
        else begin
            if (f_rst)
                assume (!begins);
            if (f_inside == EVENTS[CW-1:0])
                assume (!begins);
            if (f_inside == 0)
                assume (!ends);
            // The times of the events inside are here, each once; events are counted, two cycles later.
            if (!f_rst)
                assert (f_inside == unused_count && (f_inside == 0 || known));
            assert (f_rst || f_ended == events[15:0] + ended);
        end
    end
`endif
endmodule

`default_nettype wire
