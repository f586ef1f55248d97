// ts_attn_score for a pair of key lanes with PD DSPs: both keys share the query. k1_less is the second key's chunk, packed (ts_pack).
`default_nettype none

module ts_attn_score2 #(
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
    input  wire [PD*KW-1:0] k0,
    input  wire [PD*KW-1:0] k1_less,
    input  wire             first_chunk,
    input  wire [1:0]       e,
    input  wire [1:0]       none,
    output wire [SW-1:0]    score0,
    output wire [SW-1:0]    score1
);
    localparam DOTW = QW + KW - 1 + $clog2(PD);
    localparam SUMW = QW + KW - 1 + $clog2(PD * DC);

    wire [DOTW-1:0] dot0, dot1;
    wire            carry;
    ts_dot2 #(.N(PD), .AW(QW), .ASIGNED(1), .BW(KW), .OW(DOTW), .REG(REG)) mac (
        .clk(clk), .a(q), .b0(k0), .b1_less(k1_less), .sum0(dot0), .sum1(dot1), .carry(carry));
    ts_attn_total #(.DOTW(DOTW), .DC(DC), .CARRY(0), .SHIFT(SHIFT), .SW(SW), .SUMW(SUMW)) total0 (
        .clk(clk), .dot(dot0), .carry(1'b0), .first_chunk(first_chunk), .e(e), .none(none[0]), .score(score0));
    ts_attn_total #(.DOTW(DOTW), .DC(DC), .CARRY(1), .SHIFT(SHIFT), .SW(SW), .SUMW(SUMW)) total1 (
        .clk(clk), .dot(dot1), .carry(carry), .first_chunk(first_chunk), .e(e), .none(none[1]), .score(score1));
endmodule

`default_nettype wire
