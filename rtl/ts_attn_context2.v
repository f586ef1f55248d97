// ts_attn_context for a pair of channel lanes with PKEY DSPs: both channels of a key share its weight. v1_less is the second channel of
// every key, packed (ts_pack).
`default_nettype none

module ts_attn_context2 #(
    parameter PKEY = 1,
    parameter DC   = 1,
    parameter PW   = 11,
    parameter VW   = 8,
    parameter ACCW = 24,
    parameter REG  = 2
) (
    input  wire               clk,
    input  wire [PKEY*PW-1:0] p,
    input  wire [PKEY*VW-1:0] v0,
    input  wire [PKEY*VW-1:0] v1_less,
    input  wire               add,
    input  wire               first,
    input  wire               last,
    output wire [DC*ACCW-1:0] held0,
    output wire [DC*ACCW-1:0] held1
);
    localparam DOTW = PW + VW + $clog2(PKEY);

    wire [DOTW-1:0] dot0, dot1;
    wire            carry;
    ts_dot2 #(.N(PKEY), .AW(PW), .ASIGNED(0), .BW(VW), .OW(DOTW), .REG(REG)) mac (
        .clk(clk), .a(p), .b0(v0), .b1_less(v1_less), .sum0(dot0), .sum1(dot1), .carry(carry));
    ts_attn_acc #(.DOTW(DOTW), .DC(DC), .ACCW(ACCW)) sums0 (
        .clk(clk), .dot(dot0), .carry(1'b0), .add(add), .first(first), .last(last), .held(held0));
    ts_attn_acc #(.DOTW(DOTW), .DC(DC), .ACCW(ACCW)) sums1 (
        .clk(clk), .dot(dot1), .carry(carry), .add(add), .first(first), .last(last), .held(held1));
endmodule

`default_nettype wire
