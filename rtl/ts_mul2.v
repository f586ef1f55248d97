// Two products with a shared factor in one DSP: p0 = a * b0 and p1 = a * b1 - (p0 < 0). Latency 3, with the registers of ts_mul.
//
// b0 and b1, BW bits, are signed with a symmetric range (never the most negative number). b1 comes less one where b0 is negative
// (`b1_less`, ts_pack): with b0's sign in between, the two are then the number b1 * 2^K + b0 by wiring alone. K bits hold a product:
// the low field of a * (b1 * 2^K + b0) is a * b0, and where that is negative it has borrowed one from the high field. p1 gets it
// back where it is added up (ts_tree_carry), as a carry.
// One DSP where K + BW and AW bits, with a zero in front of an unsigned a, fit it: ts_dsp_packs() of src/ring/device.h.
`default_nettype none

module ts_mul2 #(
    parameter AW      = 12,
    parameter ASIGNED = 1,
    parameter BW      = 8,
    parameter K       = AW + BW - (ASIGNED != 0 ? 1 : 0) // derived
) (
    input  wire          clk,
    input  wire [AW-1:0] a,
    input  wire [BW-1:0] b0,
    input  wire [BW-1:0] b1_less,
    output wire [K-1:0]  p0,
    output wire [K-1:0]  p1
);
    localparam AX = ASIGNED != 0 ? AW : AW + 1; // DSPs multiply signed numbers

    wire signed [AX-1:0]      a_signed;
    reg  signed [AX-1:0]      a_in;
    reg  signed [K+BW-1:0]    b_in;
    reg  signed [AX+K+BW-1:0] product;
    reg         [2*K-1:0]     p;
    generate
        if (AW < 2) begin : g_guard
            ts_mul2_needs_AW_of_at_least_2 guard ();
        end
        if (ASIGNED != 0) begin : g_signed
            assign a_signed = a;
        end else begin : g_unsigned
            assign a_signed = {1'b0, a};
        end
    endgenerate

    always @(posedge clk) begin
        a_in    <= a_signed;
        b_in    <= {b1_less, {(K-BW){b0[BW-1]}}, b0};
        product <= a_in * b_in;
        p       <= product[2*K-1:0];
    end
    assign p0 = p[K-1:0];
    assign p1 = p[2*K-1:K];
    wire unused = &{1'b0, product[AX+K+BW-1:2*K]};
endmodule

`default_nettype wire
