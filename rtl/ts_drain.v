// Admission and soft reset of a ring, in its clock. Hits pass from s_hit to m_hit (no register) while `enable` is up; where it falls, the event
// that is entering, or whose first hit is offered, goes on to its last hit, and the next one waits. `reset`, a pulse: admission stops, the events inside come out, the pager is told to
// stop (run) and has no burst left (page_idle); then ring_rst is up for HOLD cycles. Only a ring that stands still (idle never comes up) is
// reset by `rst`.
//   idle: no event is inside and none is entering.   drained: a pulse, the reset is over.   EVENTS (>= 2): events inside at most
`default_nettype none

module ts_drain #(
    parameter EVENTS = 8,
    parameter HOLD   = 16
) (
    input  wire clk,
    input  wire rst,
    input  wire enable,
    input  wire reset,
    input  wire page_run,  // what the host asks for
    input  wire page_idle, // no burst is under way; 1 without a pager
    output wire run,       // what the pager is told
    input  wire s_valid,
    output wire s_ready,
    input  wire s_last,
    output wire m_valid,
    input  wire m_ready,
    input  wire out_valid, // results, as they are taken
    input  wire out_ready,
    input  wire out_last,
    output reg  ring_rst,
    output reg  idle,
    output wire resetting,
    output reg  drained,
    output wire fault // ts_watch: more events inside than EVENTS, or one that ends and has not begun
);
    localparam CW = $clog2(EVENTS + 1), HW = $clog2(HOLD + 1);
    localparam WORK = 2'd0, EMPTY = 2'd1, PAGES = 2'd2, RESET = 2'd3;

    reg  [1:0]    state;
    reg  [CW-1:0] held;
    reg  [HW-1:0] hold;
    reg           entering; // between an event's first hit and its last one
    reg           offered;  // a hit was offered and not taken: it stays

    wire open    = entering || offered || (enable && state == WORK && !reset && !ring_rst);
    wire begins  = s_valid && s_ready && !entering;
    wire ends    = out_valid && out_ready && out_last;
    wire none    = held == 0 && !entering && !offered;

    assign m_valid   = s_valid && open;
    assign s_ready   = m_ready && open;
    assign run       = page_run && !ring_rst && (state == WORK || state == EMPTY);
    assign resetting = state != WORK;

    ts_watch #(.N(2)) u_watch (
        .clk(clk), .rst(rst), .bad({begins && !ends && held == EVENTS[CW-1:0], ends && !begins && held == 0}), .fault(fault));

    always @(posedge clk) begin
        if (s_valid && s_ready)
            entering <= !s_last;
        offered <= m_valid && !m_ready;
        if (begins != ends)
            held <= begins ? held + 1'b1 : held - 1'b1;
        idle     <= none && !m_valid;
        drained  <= 1'b0;
        ring_rst <= 1'b0;
        case (state)
            WORK:
                if (reset)
                    state <= EMPTY;
            EMPTY:
                if (none)
                    state <= PAGES;
            PAGES: begin
                hold <= 0;
                if (page_idle)
                    state <= RESET;
            end
            RESET: begin
                ring_rst <= 1'b1;
                hold     <= hold + 1'b1;
                if (hold == HOLD[HW-1:0] - 1'b1) begin
                    state   <= WORK;
                    drained <= 1'b1;
                end
            end
        endcase
        if (rst) begin
            state    <= WORK;
            held     <= 0;
            hold     <= 0;
            entering <= 1'b0;
            offered  <= 1'b0;
            idle     <= 1'b0;
            drained  <= 1'b0;
            ring_rst <= 1'b1;
        end
    end

`ifdef TS_CHECK
    ts_axis_check #(.DATAW(1), .SIDEW(1), .ASSUME(1)) check_s (
        .clk(clk), .rst(rst), .valid(s_valid), .ready(s_ready), .data(1'b0), .side(s_last));
    ts_axis_check #(.DATAW(1), .SIDEW(1)) check_m (
        .clk(clk), .rst(rst), .valid(m_valid), .ready(m_ready), .data(1'b0), .side(s_last));
`endif
`ifdef FORMAL
    // What is around it: the ring holds at most EVENTS events and gives none that has not begun; a pager that was told to stop, and has no
    // burst left, begins none.
    reg           f_started = 0, f_quiet = 0, f_rst, f_hold, f_offer = 0;
    reg  [CW-1:0] f_inside = 0; // events between their first hit and their last result
    always @(posedge clk) begin
        f_started <= 1;
        f_rst     <= rst;
        f_quiet   <= !rst && !run && page_idle;
        f_hold    <= !rst && state == RESET;
        f_inside  <= rst ? 0 : f_inside + (begins && !ends) - (ends && !begins);
        if (!f_started)
            assume (rst);
        else begin
            if (f_inside == EVENTS[CW-1:0])
                assume (!begins || ends);
            if (f_inside == 0)
                assume (!ends);
            if (f_quiet)
                assume (page_idle);
            assert (held == f_inside && f_inside <= EVENTS[CW-1:0]);
            // The ring, and the pager, are reset with nothing inside: no event, no hit offered, no burst.
            if (state == PAGES || state == RESET || (ring_rst && !f_rst))
                assert (f_inside == 0 && none && !m_valid && !run);
            if (state == RESET || (ring_rst && !f_rst))
                assert (f_quiet);
            // It is up for HOLD cycles and ends with `drained`, in WORK.
            if (state == RESET)
                assert (hold < HOLD && (!f_hold || ring_rst));
            if (!f_rst)
                assert (ring_rst == f_hold && (!drained || (state == WORK && ring_rst)));
            if (f_started && !f_rst && state != WORK)
                assert (resetting);
        end
    end
`endif
endmodule

`default_nettype wire
