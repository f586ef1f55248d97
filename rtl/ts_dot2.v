// Two MAC lanes with a shared operand in N DSPs (ts_mul2): sum0 = sum of a[i] * b0[i], and sum of a[i] * b1[i] = sum1 + carry, where
// b1_less[i] = b1[i] - (b0[i] < 0). The sums and sum1 fit OW bits (the caller knows). b0 and b1 are signed, with symmetric ranges.
// Latency 3 + ceil(ceil(log2 N) / REG), as ts_dot.
`default_nettype none

module ts_dot2 #(
    parameter N       = 4,
    parameter AW      = 12,
    parameter ASIGNED = 1,
    parameter BW      = 8,
    parameter OW      = 24,
    parameter REG     = 1
) (
    input  wire            clk,
    input  wire [N*AW-1:0] a,
    input  wire [N*BW-1:0] b0,
    input  wire [N*BW-1:0] b1_less,
    output wire [OW-1:0]   sum0,
    output wire [OW-1:0]   sum1,
    output wire            carry
);
    localparam K = AW + BW - (ASIGNED != 0 ? 1 : 0); // bits of a product

    wire [N*K-1:0] p0, p1;
    wire [N-1:0]   borrowed; // by p0 from p1

    genvar i;
    generate
        for (i = 0; i < N; i = i + 1) begin : g_mul
            ts_mul2 #(.AW(AW), .ASIGNED(ASIGNED), .BW(BW)) mul (
                .clk(clk), .a(a[i*AW +: AW]), .b0(b0[i*BW +: BW]), .b1_less(b1_less[i*BW +: BW]), .p0(p0[i*K +: K]), .p1(p1[i*K +: K]));
            assign borrowed[i] = p0[i*K+K-1];
        end
    endgenerate

    ts_tree #(.N(N), .W(K), .OW(OW), .REG(REG)) tree0 (.clk(clk), .x(p0), .sum(sum0));
    ts_tree_carry #(.N(N), .W(K), .OW(OW), .REG(REG)) tree1 (.clk(clk), .x(p1), .carry_in(borrowed), .sum(sum1), .carry(carry));
endmodule

`default_nettype wire
