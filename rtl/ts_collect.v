// Tokens from beats: BEATS beats of WIDTH bits, the first at the low end, wait as beats in LUT RAM, which is narrow and deep that way,
// and leave as whole tokens. One token is offered while the next is put together: a token every BEATS cycles.
// From a token's last beat to its m_valid: 2 cycles (BEATS = 1: 1). There is room for DEPTH tokens, of which none is refused: those
// who send beats count them, and ts_watch says whether they did (fault).
`default_nettype none

module ts_collect #(
    parameter WIDTH = 8,
    parameter BEATS = 4,
    parameter DEPTH = 3 // tokens, at least 2
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   s_valid,
    input  wire [WIDTH-1:0]       s_data,
    output wire                   m_valid,
    input  wire                   m_ready,
    output wire [BEATS*WIDTH-1:0] m_data,
    output wire                   fault
);
    // One token is offered, all beats but the last of another are in front of it.
    localparam PLACES = BEATS > 1 ? (DEPTH - 2) * BEATS + 2 : DEPTH;
    localparam CW     = $clog2(PLACES + 1);

    wire             ready, beat_valid, beat_ready;
    wire [WIDTH-1:0] beat;
    wire [CW-1:0]    count;
    ts_fifo_lut #(.WIDTH(WIDTH), .DEPTH(PLACES)) beats (
        .clk(clk), .rst(rst), .s_valid(s_valid), .s_ready(ready), .s_data(s_data),
        .m_valid(beat_valid), .m_ready(beat_ready), .m_data(beat), .count(count));
    ts_watch watch (.clk(clk), .rst(rst), .bad(s_valid && !ready), .fault(fault));
    wire unused = &{1'b0, count};

    generate
        if (DEPTH < 2) begin : g_guard
            ts_collect_needs_DEPTH_of_at_least_2 guard ();
        end
        if (BEATS == 1) begin : g_single
            assign beat_ready = m_ready;
            assign m_valid    = beat_valid;
            assign m_data     = beat;
        end else begin : g_multiple
            localparam        BW   = $clog2(BEATS);
            localparam [31:0] LAST = BEATS - 1;
            reg  [BW-1:0]              have;   // beats of the next token
            reg                        last;   // have == LAST
            reg                        full;   // a token is offered
            reg  [(BEATS-1)*WIDTH-1:0] prior;
            reg  [BEATS*WIDTH-1:0]     token;
            wire [BEATS*WIDTH-1:0]     shifted = {beat, prior};
            wire                       take    = beat_valid && beat_ready;

            assign beat_ready = !last || !full || m_ready;
            assign m_valid    = full;
            assign m_data     = token;
            always @(posedge clk)
                if (rst) begin
                    have <= {BW{1'b0}};
                    last <= 1'b0;
                    full <= 1'b0;
                end else begin
                    full <= (take && last) || (full && !m_ready);
                    if (take) begin
                        have <= last ? {BW{1'b0}} : have + 1'b1;
                        last <= have == LAST[BW-1:0] - 1'b1;
                    end
                end
            always @(posedge clk) begin
                if (take)
                    prior <= shifted[BEATS*WIDTH-1:WIDTH];
                if (last && (!full || m_ready))
                    token <= shifted; // junk until the last beat is there
            end
        end
    endgenerate
endmodule

`default_nettype wire
