// y = sat(round(x / 2^(SHIFT + e))), half toward +infinity, within +-limit: three cycles (shift, round, saturate).
// `limit` and `none` belong to the saturating stage: they are taken two cycles after x. Where `none` is up, y is the most negative
// code, which no saturated value has.
`default_nettype none

module ts_attn_round #(
    parameter IW    = 16,
    parameter SHIFT = 4,
    parameter OW    = 8
) (
    input  wire                 clk,
    input  wire signed [IW-1:0] x,
    input  wire [1:0]           e,
    input  wire [OW-2:0]        limit,
    input  wire                 none,
    output reg  [OW-1:0]        y
);
    // One bit below the point is kept, for the rounding. Even after the shift, RW bits can represent OW-bit limits.
    localparam SW = IW + 1 > SHIFT + 1 ? IW + 1 - SHIFT : 1;
    localparam RW = SW > OW ? SW : OW;

    wire signed [IW:0]   doubled = {x, 1'b0};
    wire signed [IW:0]   coarse  = (doubled >>> SHIFT) >>> e;
    reg  signed [SW-1:0] shifted;
    reg  signed [RW-1:0] rounded;
    wire signed [SW:0]   up   = {shifted[SW-1], shifted} + {{SW{1'b0}}, 1'b1};
    wire signed [RW-1:0] high = {{(RW-OW+1){1'b0}}, limit};
    wire signed [RW-1:0] under = ~high; // the largest value below -limit
    wire        [OW-1:0] low   = {1'b1, ~limit} + 1'b1;

    always @(posedge clk) begin
        shifted <= coarse[SW-1:0];
        rounded <= {{(RW-SW){up[SW]}}, up[SW:1]};
        if (none)
            y <= {1'b1, {OW-1{1'b0}}};
        else
            y <= rounded > high ? high[OW-1:0] : rounded <= under ? low : rounded[OW-1:0];
    end
    wire unused = &{1'b0, coarse, up[0]};
endmodule

`default_nettype wire
