// Sum of N signed values of W bits, as OW bits (the caller knows that the sum, and every partial sum, fits).
// A tree of ceil(log2 N) adder levels with a register after every REG levels and after the last one:
// latency ceil(ceil(log2 N) / REG); 0 when N = 1.
`default_nettype none

module ts_tree #(
    parameter N   = 4,
    parameter W   = 24,
    parameter OW  = 28,
    parameter REG = 1
) (
    input  wire           clk,
    input  wire [N*W-1:0] x,
    output wire [OW-1:0]  sum
);
    localparam LEVELS = $clog2(N);

    genvar l, i;
    generate
        // Level l has ceil(N / 2^l) sums of at most W + l bits.
        for (l = 0; l <= LEVELS; l = l + 1) begin : g_level
            localparam COUNT = (N + (1 << l) - 1) >> l;
            localparam LW    = W + l < OW ? W + l : OW;
            wire [COUNT*LW-1:0] s;
            if (l == 0) begin : g_in
                for (i = 0; i < COUNT; i = i + 1) begin : g_value
                    assign s[i*LW +: LW] = x[i*W +: LW];
                end
                if (LW < W) begin : g_narrow
                    wire unused = &{1'b0, x};
                end
            end else begin : g_add
                localparam PREVIOUS = (N + (1 << (l - 1)) - 1) >> (l - 1);
                localparam PW       = W + l - 1 < OW ? W + l - 1 : OW;
                wire [COUNT*LW-1:0] next;
                for (i = 0; i < COUNT; i = i + 1) begin : g_value
                    wire signed [PW-1:0] a = g_level[l-1].s[2*i*PW +: PW];
                    wire signed [LW-1:0] a_wide = {{(LW-PW+1){a[PW-1]}}, a[PW-2:0]};
                    if (2 * i + 1 < PREVIOUS) begin : g_pair
                        wire signed [PW-1:0] b = g_level[l-1].s[(2*i+1)*PW +: PW];
                        assign next[i*LW +: LW] = a_wide + {{(LW-PW+1){b[PW-1]}}, b[PW-2:0]};
                    end else begin : g_odd
                        assign next[i*LW +: LW] = a_wide;
                    end
                end
                if (l % REG == 0 || l == LEVELS) begin : g_register
                    reg [COUNT*LW-1:0] q;
                    always @(posedge clk)
                        q <= next;
                    assign s = q;
                end else begin : g_through
                    assign s = next;
                end
            end
        end
        localparam SW = W + LEVELS < OW ? W + LEVELS : OW;
        assign sum = {{(OW-SW+1){g_level[LEVELS].s[SW-1]}}, g_level[LEVELS].s[SW-2:0]};
        if (LEVELS == 0) begin : g_no_clock
            wire unused = clk;
        end
    endgenerate
endmodule

`default_nettype wire
