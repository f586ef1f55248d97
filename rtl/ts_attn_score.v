// Score of one query, head and key lane: the dot product of a chunk (PD channels) in ts_dot, the sum of DC chunks, rounding.
// From q, k to the score: LATENCY = 6 + ts_tree's cycles for PD + (DC > 1). `first_chunk` is taken with the dot product, `e` with
// the sum, `none` (the lane holds no key) two cycles later. A lane without a key gives the most negative code.
`default_nettype none

module ts_attn_score #(
    parameter QW    = 8,
    parameter KW    = 8,
    parameter PD    = 1,
    parameter DC    = 1,
    parameter SHIFT = 4,
    parameter SW    = 8,
    parameter REG   = 2
) (
    input  wire             clk,
    input  wire [PD*QW-1:0] q,
    input  wire [PD*KW-1:0] k,
    input  wire             first_chunk,
    input  wire [1:0]       e,
    input  wire             none,
    output wire [SW-1:0]    score
);
    localparam DOTW = QW + KW - 1 + $clog2(PD); // symmetric operands: a product has QW + KW - 1 bits
    localparam SUMW = QW + KW - 1 + $clog2(PD * DC);

    wire [DOTW-1:0] dot;
    ts_dot #(.N(PD), .AW(QW), .ASIGNED(1), .BW(KW), .OW(DOTW), .REG(REG)) mac (.clk(clk), .a(q), .b(k), .sum(dot));
    ts_attn_total #(.DOTW(DOTW), .DC(DC), .CARRY(0), .SHIFT(SHIFT), .SW(SW), .SUMW(SUMW)) total (
        .clk(clk), .dot(dot), .carry(1'b0), .first_chunk(first_chunk), .e(e), .none(none), .score(score));
endmodule

`default_nettype wire
