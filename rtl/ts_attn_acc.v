// Accumulators of one query, head and channel lane of the context: one for each of the DC chunks, which come in turn, of the weighted
// sums dot + carry over the key lanes. In the last key group the finished sums move to `held`, chunk c at [c*ACCW +: ACCW].
// `add`, `first` (key group) and `last` (key group) are taken with the dot product.
`default_nettype none

module ts_attn_acc #(
    parameter DOTW = 20,
    parameter DC   = 1,
    parameter ACCW = 24
) (
    input  wire               clk,
    input  wire [DOTW-1:0]    dot,
    input  wire               carry,
    input  wire               add,
    input  wire               first,
    input  wire               last,
    output reg  [DC*ACCW-1:0] held
);
    // The accumulators are a ring: the chunk at hand is at the low end.
    reg  [DC*ACCW-1:0]     acc;
    wire signed [ACCW-1:0] term; // signed, so that synthesis sees how short it is
    wire signed [ACCW-1:0] prior     = first ? {ACCW{1'b0}} : acc[ACCW-1:0];
    wire signed [ACCW-1:0] one       = {{(ACCW-1){1'b0}}, carry};
    wire [ACCW-1:0]        next      = term + prior + one;
    wire [(DC+1)*ACCW-1:0] acc_next  = {next, acc};
    wire [(DC+1)*ACCW-1:0] held_next = {next, held};
    generate
        if (ACCW >= DOTW) begin : g_wide
            assign term = {{(ACCW-DOTW){dot[DOTW-1]}}, dot};
        end else begin : g_narrow // as in ts_attn_sum
            assign term = dot[ACCW-1:0];
            wire unused = &{1'b0, dot};
        end
    endgenerate

    always @(posedge clk)
        if (add) begin
            acc <= acc_next[ACCW +: DC*ACCW];
            if (last)
                held <= held_next[ACCW +: DC*ACCW];
        end
    wire unused = &{1'b0, acc_next[ACCW-1:0], held_next[ACCW-1:0]};
endmodule

`default_nettype wire
