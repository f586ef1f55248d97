// One of N words: a tree of two-way multiplexers, which maps to LUTs far better than a variable part select.
// Combinational; sel >= N gives junk.
`default_nettype none

module ts_pick #(
    parameter N     = 4,
    parameter WIDTH = 8,
    parameter SELW  = N > 1 ? $clog2(N) : 1 // derived
) (
    input  wire [N*WIDTH-1:0] x,
    input  wire [SELW-1:0]    sel,
    output wire [WIDTH-1:0]   y
);
    localparam LEVELS = $clog2(N);
    localparam LEAVES = 1 << LEVELS;

    // Level by level, pairs become one, at the low end.
    reg [LEAVES*WIDTH-1:0] tree;
    integer                i, l;
    always @* begin
        for (i = 0; i < LEAVES; i = i + 1)
            tree[i*WIDTH +: WIDTH] = x[(i < N ? i : N-1)*WIDTH +: WIDTH];
        for (l = 0; l < LEVELS; l = l + 1)
            for (i = 0; i < LEAVES >> (l+1); i = i + 1)
                tree[i*WIDTH +: WIDTH] = sel[l] ? tree[(2*i+1)*WIDTH +: WIDTH] : tree[2*i*WIDTH +: WIDTH];
    end
    assign y = tree[WIDTH-1:0];
    wire unused = &{1'b0, sel, tree};
endmodule

`default_nettype wire
