// ts_queue of wide words that come seldom: each lies in BEATS pieces in a memory that is narrower and deeper by as much. Where DEPTH is
// less than a block RAM holds, that takes fewer of them.
// Streams and events are ts_queue's. A word stays offered for the BEATS cycles in which its pieces go in, and is taken with the
// last one (one with s_drop, which is not stored, with the first); the first word of an event is visible BEATS + 4 cycles after
// its last was taken; a word every BEATS + 1 cycles comes out. BEATS = 1: a ts_queue and no more.
`default_nettype none

module ts_queue_narrow #(
    parameter WIDTH = 8,
    parameter DEPTH = 16, // words
    parameter BEATS = 2,
    parameter LW    = 1,
    parameter STYLE = "block"
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [WIDTH-1:0] s_data,
    input  wire             s_last,
    input  wire             s_drop,
    output wire             m_valid,
    input  wire             m_ready,
    output wire [WIDTH-1:0] m_data,
    output wire             fault // ts_watch
);
    generate
        if (BEATS < 2) begin : g_whole
            ts_queue #(.WIDTH(WIDTH), .DEPTH(DEPTH), .LW(LW), .STYLE(STYLE)) queue (
                .clk(clk), .rst(rst), .s_valid(s_valid), .s_ready(s_ready), .s_data(s_data), .s_last(s_last), .s_drop(s_drop),
                .m_valid(m_valid), .m_ready(m_ready), .m_data(m_data), .fault(fault));
        end else begin : g_pieces
            localparam        PIECE = (WIDTH + BEATS - 1) / BEATS;
            localparam        BW    = BEATS > 1 ? $clog2(BEATS) : 1;
            localparam [31:0] LAST  = BEATS - 1;

            // ---- in
            reg  [BW-1:0]          in;
            wire [PIECE-1:0]       piece_in, piece_out;
            wire                   in_last = in == LAST[BW-1:0];
            wire                   piece_ready, piece_valid;
            wire [BEATS*PIECE-1:0] pieces;

            assign s_ready = piece_ready && (in_last || s_drop);
            always @(posedge clk)
                if (rst)
                    in <= {BW{1'b0}};
                else if (s_valid && piece_ready)
                    in <= in_last || s_drop ? {BW{1'b0}} : in + 1'b1;
            ts_pick #(.N(BEATS), .WIDTH(PIECE)) pick (.x(pieces), .sel(in), .y(piece_in));

            reg full; // a whole word is out
            ts_queue #(.WIDTH(PIECE), .DEPTH(DEPTH * BEATS), .LW(LW), .STYLE(STYLE)) queue (
                .clk(clk), .rst(rst), .s_valid(s_valid), .s_ready(piece_ready), .s_data(piece_in), .s_last(s_last && in_last), .s_drop(s_drop),
                .m_valid(piece_valid), .m_ready(!full), .m_data(piece_out), .fault(fault));

            // ---- out, filled from above
            reg  [BW-1:0]          have;
            reg  [BEATS*PIECE-1:0] word;
            wire                   take = piece_valid && !full;

            assign m_valid = full;
            assign m_data  = word[WIDTH-1:0];
            always @(posedge clk)
                if (rst) begin
                    have <= {BW{1'b0}};
                    full <= 1'b0;
                end else begin
                    full <= full ? !m_ready : take && have == LAST[BW-1:0];
                    if (take)
                        have <= have == LAST[BW-1:0] ? {BW{1'b0}} : have + 1'b1;
                end
            always @(posedge clk)
                if (take)
                    word <= {piece_out, word[BEATS*PIECE-1:PIECE]};

            if (BEATS * PIECE > WIDTH) begin : g_pad
                assign pieces = {{(BEATS*PIECE-WIDTH){1'b0}}, s_data};
                wire unused = &{1'b0, word[BEATS*PIECE-1:WIDTH]};
            end else begin : g_no_pad
                assign pieces = s_data;
            end
        end
    endgenerate
endmodule

`default_nettype wire
