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
`ifdef FORMAL
    , output reg [15:0]           f_inside // beats of tokens that have not left
`endif
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
`ifdef FORMAL
    wire [15:0] f_have;
    wire        f_full, f_sound;
`endif

    generate
        if (DEPTH < 2) begin : g_guard
            ts_collect_needs_DEPTH_of_at_least_2 guard ();
        end
        if (BEATS == 1) begin : g_single
            assign beat_ready = m_ready;
            assign m_valid    = beat_valid;
            assign m_data     = beat;
`ifdef FORMAL
            assign f_have  = 0;
            assign f_full  = 0;
            assign f_sound = 1;
`endif
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
`ifdef FORMAL
            assign f_have  = have;
            assign f_full  = full;
            // Beats pile up in the FIFO only while one token is offered and the next one lacks its last beat.
            assign f_sound = have <= LAST && last == (have == LAST) && count <= (DEPTH - 2) * BEATS + 1;
`endif
        end
    endgenerate

`ifdef FORMAL
    // Senders who never have more than DEPTH tokens inside are never turned away (ts_watch), and every token is offered: what is inside is
    // accounted for, and a whole token waits for its offer at most BEATS cycles.
    reg         f_started = 0, f_reset = 0;
    reg  [15:0] f_late;
    wire        f_allowed = f_inside < DEPTH * BEATS && !f_reset; // to send
    always @(posedge clk) begin
        f_started <= 1;
        f_reset   <= rst;
        f_inside  <= rst ? 0 : f_inside + s_valid - (m_valid && m_ready ? BEATS : 0);
        f_late    <= rst || m_valid || f_inside < BEATS ? 0 : f_late + 1;
        if (!f_started)
            assume (rst);
        else begin
`ifdef FORMAL_INSIDE
            assert (rst || !s_valid || f_allowed);
`else
            assume (rst || !s_valid || f_allowed);
`endif
            assert (f_inside == count + f_have + (f_full ? BEATS : 0) && f_inside <= DEPTH * BEATS && f_sound);
            assert (!m_valid || f_inside >= BEATS);
            assert (f_late <= (m_valid ? BEATS : f_have));
        end
    end
`endif
endmodule

`default_nettype wire
