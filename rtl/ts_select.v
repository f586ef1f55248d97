// One of N words, two cycles later: a choice among at most 16 words, a register, the choice among the groups of 16, a register.
// sel >= N gives junk.
`default_nettype none

module ts_select #(
    parameter N     = 4,
    parameter WIDTH = 8,
    parameter SELW  = N > 1 ? $clog2(N) : 1 // derived
) (
    input  wire               clk,
    input  wire [N*WIDTH-1:0] x,
    input  wire [SELW-1:0]    sel,
    output reg  [WIDTH-1:0]   y
);
    localparam GROUP  = N < 16 ? N : 16;
    localparam GROUPS = (N + GROUP - 1) / GROUP;

    wire [GROUPS*GROUP*WIDTH-1:0] words;
    wire [GROUPS*WIDTH-1:0]       of_group;
    reg  [GROUPS*WIDTH-1:0]       of_group_1;
    wire [WIDTH-1:0]              chosen;

    genvar i, g;
    generate
        // Where the last group has fewer words, the last one again: a multiplexer of the same is none.
        for (i = 0; i < GROUPS * GROUP; i = i + 1) begin : g_word
            assign words[i*WIDTH +: WIDTH] = x[(i < N ? i : N-1)*WIDTH +: WIDTH];
        end
        for (g = 0; g < GROUPS; g = g + 1) begin : g_group
            ts_pick #(.N(GROUP), .WIDTH(WIDTH)) pick (
                .x(words[g*GROUP*WIDTH +: GROUP*WIDTH]), .sel(sel[(GROUP > 1 ? $clog2(GROUP) : 1)-1:0]), .y(of_group[g*WIDTH +: WIDTH]));
        end
        if (GROUPS > 1) begin : g_groups
            reg [SELW-5:0] group;
            always @(posedge clk)
                group <= sel[SELW-1:4];
            ts_pick #(.N(GROUPS), .WIDTH(WIDTH)) pick (.x(of_group_1), .sel(group), .y(chosen));
        end else begin : g_one
            assign chosen = of_group_1;
        end
    endgenerate

    always @(posedge clk) begin
        of_group_1 <= of_group;
        y          <= chosen;
    end
endmodule

`default_nettype wire
