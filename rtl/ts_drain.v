// Admission and soft reset of a ring, in its clock. Hits pass from s_hit to m_hit (no register) while `enable` is up; where it falls, the event
// that is entering goes on to its last hit, and the next one waits. `reset`, a pulse: admission stops, the events inside come out, the pager is told to
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

    wire open    = entering || (enable && state == WORK && !reset && !ring_rst);
    wire begins  = s_valid && s_ready && !entering;
    wire ends    = out_valid && out_ready && out_last;

    assign m_valid   = s_valid && open;
    assign s_ready   = m_ready && open;
    assign run       = page_run && !ring_rst && (state == WORK || state == EMPTY);
    assign resetting = state != WORK;

    ts_watch #(.N(2)) u_watch (
        .clk(clk), .rst(rst), .bad({begins && !ends && held == EVENTS[CW-1:0], ends && !begins && held == 0}), .fault(fault));

    always @(posedge clk) begin
        if (s_valid && s_ready)
            entering <= !s_last;
        if (begins != ends)
            held <= begins ? held + 1'b1 : held - 1'b1;
        idle     <= held == 0 && !entering && !begins;
        drained  <= 1'b0;
        ring_rst <= 1'b0;
        case (state)
            WORK:
                if (reset)
                    state <= EMPTY;
            EMPTY:
                if (held == 0 && !entering)
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
            held   <= 0;
            hold     <= 0;
            entering <= 1'b0;
            idle     <= 1'b0;
            drained  <= 1'b0;
            ring_rst <= 1'b1;
        end
    end
endmodule

`default_nettype wire
