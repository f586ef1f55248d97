// Largest score of one query and head over an item's keys: a tree over the PKEY lanes, ceil(ceil(log2 PKEY) / REG) cycles, then the
// running maximum, kept for two items (`half`). `load` copies one of them for pass two, while the next item's grows.
// `valid`, `first` and `half` are taken with the tree's result.
`default_nettype none

module ts_attn_max #(
    parameter PKEY = 1,
    parameter SW   = 8,
    parameter REG  = 2
) (
    input  wire               clk,
    input  wire [PKEY*SW-1:0] score,
    input  wire               valid,
    input  wire               first,
    input  wire               half,
    input  wire               load,
    input  wire               load_half,
    output reg  [SW-1:0]      max
);
    localparam LEVELS = $clog2(PKEY);
    localparam LEAVES = 1 << LEVELS;
    localparam STAGES = (LEVELS + REG - 1) / REG;

    // Each stage joins pairs, REG times over, at the low end.
    wire [(STAGES+1)*LEAVES*SW-1:0] stage;
    genvar i, g;
    generate
        for (i = 0; i < LEAVES; i = i + 1) begin : g_leaf
            assign stage[i*SW +: SW] = score[(i < PKEY ? i : PKEY-1)*SW +: SW];
        end
        for (g = 0; g < STAGES; g = g + 1) begin : g_stage
            localparam DONE = g * REG;
            localparam TODO = LEVELS - DONE < REG ? LEVELS - DONE : REG;
            reg        [LEAVES*SW-1:0] now, kept;
            reg signed [SW-1:0]        a, b;
            integer                    l, n;

            always @* begin
                now = stage[g*LEAVES*SW +: LEAVES*SW];
                for (l = 0; l < TODO; l = l + 1)
                    for (n = 0; n < LEAVES >> (DONE+l+1); n = n + 1) begin
                        a = now[2*n*SW +: SW];
                        b = now[(2*n+1)*SW +: SW];
                        now[n*SW +: SW] = a > b ? a : b;
                    end
            end
            always @(posedge clk)
                kept <= now;
            assign stage[(g+1)*LEAVES*SW +: LEAVES*SW] = kept;
        end
    endgenerate
    wire unused = &{1'b0, stage};

    reg  signed [SW-1:0] max0, max1;
    wire signed [SW-1:0] running = half ? max1 : max0;
    wire signed [SW-1:0] top     = stage[STAGES*LEAVES*SW +: SW];
    wire        [SW-1:0] next    = first || top > running ? top : running;

    always @(posedge clk) begin
        if (valid && !half)
            max0 <= next;
        if (valid && half)
            max1 <= next;
        if (load)
            max <= load_half ? max1 : max0;
    end
endmodule

`default_nettype wire
