// Sum of the weights of one query and head over an item's keys: ts_tree over the PKEY lanes, then the accumulator, whose last
// value moves to `held`. `add`, `first` and `last` are taken with the tree's result.
`default_nettype none

module ts_attn_sum #(
    parameter PKEY = 1,
    parameter PW   = 12,
    parameter SUMW = 16,
    parameter REG  = 2
) (
    input  wire               clk,
    input  wire [PKEY*PW-1:0] p,
    input  wire               add,
    input  wire               first,
    input  wire               last,
    output reg  [SUMW-1:0]    held
);
    localparam TW = PW + 1 + $clog2(PKEY); // ts_tree is signed

    wire [PKEY*(PW+1)-1:0] terms;
    wire [TW-1:0]          part;
    genvar j;
    generate
        for (j = 0; j < PKEY; j = j + 1) begin : g_term
            assign terms[j*(PW+1) +: PW+1] = {1'b0, p[j*PW +: PW]};
        end
    endgenerate
    ts_tree #(.N(PKEY), .W(PW + 1), .OW(TW), .REG(REG)) tree (.clk(clk), .x(terms), .sum(part));

    reg  [SUMW-1:0] acc;
    wire [SUMW-1:0] term;
    wire [SUMW-1:0] next = term + (first ? {SUMW{1'b0}} : acc);
    generate
        // A bank of fewer keys than lanes: no sum is as large as the tree's.
        if (SUMW >= TW) begin : g_wide
            assign term = {{(SUMW-TW){1'b0}}, part};
        end else begin : g_narrow
            assign term = part[SUMW-1:0];
            wire unused = &{1'b0, part};
        end
    endgenerate

    always @(posedge clk)
        if (add) begin
            acc <= next;
            if (last)
                held <= next;
        end
endmodule

`default_nettype wire
