// Weighted sum of the values of one query, head and channel lane: ts_dot over the PKEY key lanes, then an accumulator for each of
// the DC chunks. `add`, `first` (key group) and `last` (key group) are taken with the dot product; `held` as in ts_attn_acc.
`default_nettype none

module ts_attn_context #(
    parameter PKEY = 1,
    parameter DC   = 1,
    parameter PW   = 12,
    parameter VW   = 8,
    parameter ACCW = 24,
    parameter REG  = 2
) (
    input  wire               clk,
    input  wire [PKEY*PW-1:0] p,
    input  wire [PKEY*VW-1:0] v,
    input  wire               add,
    input  wire               first,
    input  wire               last,
    output wire [DC*ACCW-1:0] held
);
    localparam DOTW = PW + VW + $clog2(PKEY);

    wire [DOTW-1:0] dot;
    ts_dot #(.N(PKEY), .AW(PW), .ASIGNED(0), .BW(VW), .OW(DOTW), .REG(REG)) mac (.clk(clk), .a(p), .b(v), .sum(dot));
    ts_attn_acc #(.DOTW(DOTW), .DC(DC), .ACCW(ACCW)) sums (
        .clk(clk), .dot(dot), .carry(1'b0), .add(add), .first(first), .last(last), .held(held));
endmodule

`default_nettype wire
