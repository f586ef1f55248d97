// From the dot products of a score's DC chunks to the score: their sum, rounded. Latency 3 + (DC > 1). Where CARRY, every dot product is
// dot + carry (ts_dot2). `first_chunk` is taken with the dot product, `e` with the sum, `none` (the lane holds no key) two cycles
// later. A lane without a key gives the most negative code.
`default_nettype none

module ts_attn_total #(
    parameter DOTW  = 15,
    parameter DC    = 1,
    parameter CARRY = 0,
    parameter SHIFT = 4,
    parameter SW    = 8,
    parameter SUMW  = DOTW // of the sum
) (
    input  wire            clk,
    input  wire [DOTW-1:0] dot,
    input  wire            carry,
    input  wire            first_chunk,
    input  wire [1:0]      e,
    input  wire            none,
    output wire [SW-1:0]   score
);
    wire signed [SUMW-1:0] sum;
    wire signed [SUMW-1:0] one = {{(SUMW-1){1'b0}}, carry};

    generate
        if (DC > 1) begin : g_chunks
            reg  signed [SUMW-1:0] acc;
            wire signed [SUMW-1:0] prior = first_chunk ? {SUMW{1'b0}} : acc;
            wire signed [SUMW-1:0] chunk  = {{(SUMW-DOTW){dot[DOTW-1]}}, dot};

            if (CARRY != 0) begin : g_carry
                always @(posedge clk)
                    acc <= chunk + prior + one;
            end else begin : g_no_carry
                always @(posedge clk)
                    acc <= chunk + prior;
                wire unused = &{1'b0, one};
            end
            assign sum = acc;
        end else begin : g_whole
            if (CARRY != 0) begin : g_carry
                assign sum = dot + one;
                wire unused = first_chunk;
            end else begin : g_no_carry
                assign sum = dot;
                wire unused = &{1'b0, one, first_chunk};
            end
        end
    endgenerate

    ts_attn_round #(.IW(SUMW), .SHIFT(SHIFT), .OW(SW)) round (
        .clk(clk), .x(sum), .e(e), .limit({SW-1{1'b1}}), .none(none), .y(score));
endmodule

`default_nettype wire
