// The MAC lane: sum of N products a[i] * b[i], as OW bits signed (the caller knows that the sum fits).
// b is signed. Latency 3 + ceil(ceil(log2 N) / REG).
`default_nettype none

module ts_dot #(
    parameter N       = 4,
    parameter AW      = 12,
    parameter ASIGNED = 1,
    parameter BW      = 12,
    parameter OW      = 28,
    parameter REG     = 1
) (
    input  wire            clk,
    input  wire [N*AW-1:0] a,
    input  wire [N*BW-1:0] b,
    output wire [OW-1:0]   sum
);
    wire [N*(AW+BW)-1:0] product;

    genvar i;
    generate
        for (i = 0; i < N; i = i + 1) begin : g_mul
            ts_mul #(.AW(AW), .BW(BW), .ASIGNED(ASIGNED), .BSIGNED(1)) mul (
                .clk(clk), .a(a[i*AW +: AW]), .b(b[i*BW +: BW]), .p(product[i*(AW+BW) +: AW+BW]));
        end
    endgenerate

    ts_tree #(.N(N), .W(AW + BW), .OW(OW), .REG(REG)) tree (.clk(clk), .x(product), .sum(sum));
endmodule

`default_nettype wire
