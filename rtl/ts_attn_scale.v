// One lane of ts_wmean() of src/num/fixed.h, behind ts_recip: context = sat(round(a * r / 2^(SHIFT + e))), a = acc in units of the
// weights' sum, 25 bits. Eight cycles from acc and len to y; r is taken two cycles after acc, e five, limit seven.
`default_nettype none

module ts_attn_scale #(
    parameter PW    = 12,
    parameter VW    = 8,
    parameter SUMW  = 16,
    parameter ACCW  = 24,
    parameter CW    = 8,
    parameter SHIFT = 20
) (
    input  wire            clk,
    input  wire [ACCW-1:0] acc,
    input  wire [5:0]      len, // bits of the sum, PW ... SUMW: the largest weight is 2^PW - 1
    input  wire [16:0]     r,
    input  wire [1:0]      e,
    input  wire [CW-2:0]   limit,
    output wire [CW-1:0]   y
);
    // Right by len + VW - 25, split into a constant and 0 ... SUMW - PW, and one bit less, for the rounding.
    localparam        DOWN  = PW + VW - 25;
    localparam        LEFT  = DOWN < 0 ? -DOWN : 0;
    localparam        RIGHT = DOWN > 0 ? DOWN : 0;
    localparam        BITS  = SUMW > PW ? $clog2(SUMW - PW + 1) : 1;
    localparam [31:0] LEAST = PW;

    wire        [5:0]         over   = len - LEAST[5:0];
    wire signed [ACCW+LEFT:0] fine   = {acc, {LEFT+1{1'b0}}};
    wire signed [ACCW+LEFT:0] coarse = (fine >>> RIGHT) >>> over[BITS-1:0];
    reg  signed [25:0]        shifted;
    wire signed [26:0]        up     = {shifted[25], shifted} + 27'd1;
    reg  signed [24:0]        a;
    wire        [41:0]        product;

    always @(posedge clk) begin
        shifted <= coarse[25:0];
        a       <= up[25:1];
    end
    ts_mul #(.AW(25), .BW(17), .ASIGNED(1), .BSIGNED(0)) mul (.clk(clk), .a(a), .b(r), .p(product));
    ts_attn_round #(.IW(42), .SHIFT(SHIFT), .OW(CW)) round (
        .clk(clk), .x(product), .e(e), .limit(limit), .none(1'b0), .y(y));
    wire unused = &{1'b0, over, coarse, up[26], up[0]};
endmodule

`default_nettype wire
