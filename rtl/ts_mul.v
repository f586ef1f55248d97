// The only multiplier: p = a * b, latency 3 (input, product and output registers: those of a DSP). p is signed when a or b is.
// One DSP where the operands, unsigned ones with a zero in front, fit 25 x 18 bits (DSP48E1) or 27 x 18 (DSP48E2), either way
// round, and have at least 9 bits together; smaller products are made of LUTs.
`default_nettype none

module ts_mul #(
    parameter AW      = 18,
    parameter BW      = 18,
    parameter ASIGNED = 1,
    parameter BSIGNED = 1
) (
    input  wire             clk,
    input  wire [AW-1:0]    a,
    input  wire [BW-1:0]    b,
    output reg  [AW+BW-1:0] p
);
    // DSPs multiply signed numbers: an unsigned operand gets a zero in front.
    localparam AX = ASIGNED != 0 ? AW : AW + 1;
    localparam BX = BSIGNED != 0 ? BW : BW + 1;

    wire signed [AX-1:0]    a_signed;
    wire signed [BX-1:0]    b_signed;
    reg  signed [AX-1:0]    a_in;
    reg  signed [BX-1:0]    b_in;
    reg  signed [AX+BX-1:0] product;
    generate
        if (ASIGNED != 0) begin : g_a_signed
            assign a_signed = a;
        end else begin : g_a_unsigned
            assign a_signed = {1'b0, a};
        end
        if (BSIGNED != 0) begin : g_b_signed
            assign b_signed = b;
        end else begin : g_b_unsigned
            assign b_signed = {1'b0, b};
        end
        if (AX + BX > AW + BW) begin : g_top
            wire unused = &{1'b0, product[AX+BX-1:AW+BW]};
        end
    endgenerate

    always @(posedge clk) begin
        a_in    <= a_signed;
        b_in    <= b_signed;
        product <= a_in * b_in;
        p       <= product[AW+BW-1:0];
    end
endmodule

`default_nettype wire
