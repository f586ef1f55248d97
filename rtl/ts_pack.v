// N pairs of signed numbers, packed for ts_mul2: b1, less one where its partner b0 is negative. Symmetric ranges: there is room for it.
// Combinational. Weights are stored so (src/ring/m_linear.c); keys and values come this way.
`default_nettype none

module ts_pack #(
    parameter N = 1,
    parameter W = 8
) (
    input  wire [N*W-1:0] b0,
    input  wire [N*W-1:0] b1,
    output wire [N*W-1:0] b1_less
);
    genvar i;
    generate
        for (i = 0; i < N; i = i + 1) begin : g_pair
            assign b1_less[i*W +: W] = b1[i*W +: W] + {W{b0[i*W+W-1]}};
        end
    endgenerate
    wire unused = &{1'b0, b0};
endmodule

`default_nettype wire
