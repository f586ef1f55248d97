// Two lanes of ts_attn_score in PD DSPs: a is the chunk of a query (or key) that both scores have in common, b0 and b1 those of two keys
// (or queries), the second one packed (ts_pack). The lanes' other inputs as there.
`default_nettype none

module ts_attn_score2 #(
    parameter AW    = 8,
    parameter BW    = 8,
    parameter PD    = 1,
    parameter DC    = 1,
    parameter SHIFT = 4,
    parameter SW    = 8,
    parameter REG   = 2
) (
    input  wire             clk,
    input  wire [PD*AW-1:0] a,
    input  wire [PD*BW-1:0] b0,
    input  wire [PD*BW-1:0] b1_less,
    input  wire             first_chunk,
    input  wire [1:0]       e,
    input  wire [1:0]       none,
    output wire [SW-1:0]    score0,
    output wire [SW-1:0]    score1
);
    localparam DOTW = AW + BW - 1 + $clog2(PD);
    localparam SUMW = AW + BW - 1 + $clog2(PD * DC);

    wire [DOTW-1:0] dot0, dot1;
    wire            carry;
    ts_dot2 #(.N(PD), .AW(AW), .ASIGNED(1), .BW(BW), .OW(DOTW), .REG(REG)) mac (
        .clk(clk), .a(a), .b0(b0), .b1_less(b1_less), .sum0(dot0), .sum1(dot1), .carry(carry));
    ts_attn_total #(.DOTW(DOTW), .DC(DC), .CARRY(0), .SHIFT(SHIFT), .SW(SW), .SUMW(SUMW)) total0 (
        .clk(clk), .dot(dot0), .carry(1'b0), .first_chunk(first_chunk), .e(e), .none(none[0]), .score(score0));
    ts_attn_total #(.DOTW(DOTW), .DC(DC), .CARRY(1), .SHIFT(SHIFT), .SW(SW), .SUMW(SUMW)) total1 (
        .clk(clk), .dot(dot1), .carry(carry), .first_chunk(first_chunk), .e(e), .none(none[1]), .score(score1));
endmodule

`default_nettype wire
