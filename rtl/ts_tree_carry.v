// ts_tree for terms that have a carry each: the sum of all x[i] + carry_in[i] is sum + carry. An adder takes one carry for nothing, so that
// of the two carries below it one is added and the other goes up; the last one is left for who adds `sum` to something.
// The caller knows that sums of x and of x + carry_in fit OW bits. Latency as ts_tree; 0 when N = 1.
`default_nettype none

module ts_tree_carry #(
    parameter N   = 4,
    parameter W   = 24,
    parameter OW  = 28,
    parameter REG = 1
) (
    input  wire           clk,
    input  wire [N*W-1:0] x,
    input  wire [N-1:0]   carry_in,
    output wire [OW-1:0]  sum,
    output wire           carry
);
    localparam LEVELS = $clog2(N);

    genvar l, i;
    generate
        // Level l has ceil(N / 2^l) sums of at most W + l bits.
        for (l = 0; l <= LEVELS; l = l + 1) begin : g_level
            localparam COUNT = (N + (1 << l) - 1) >> l;
            localparam LW    = W + l < OW ? W + l : OW;
            wire [COUNT*LW-1:0] s;
            wire [COUNT-1:0]    c;
            if (l == 0) begin : g_in
                for (i = 0; i < COUNT; i = i + 1) begin : g_value
                    assign s[i*LW +: LW] = x[i*W +: LW];
                end
                assign c = carry_in;
                if (LW < W) begin : g_narrow
                    wire unused = &{1'b0, x};
                end
            end else begin : g_add
                localparam PREVIOUS = (N + (1 << (l - 1)) - 1) >> (l - 1);
                localparam PW       = W + l - 1 < OW ? W + l - 1 : OW;
                wire [COUNT*LW-1:0] next;
                wire [COUNT-1:0]    up;
                for (i = 0; i < COUNT; i = i + 1) begin : g_value
                    wire signed [PW-1:0] a = g_level[l-1].s[2*i*PW +: PW];
                    wire signed [LW-1:0] a_wide = {{(LW-PW+1){a[PW-1]}}, a[PW-2:0]};
                    if (2 * i + 1 < PREVIOUS) begin : g_pair
                        wire signed [PW-1:0] b = g_level[l-1].s[(2*i+1)*PW +: PW];
                        wire signed [LW-1:0] b_wide = {{(LW-PW+1){b[PW-1]}}, b[PW-2:0]};
                        assign next[i*LW +: LW] = a_wide + b_wide + {{(LW-1){1'b0}}, g_level[l-1].c[2*i]};
                        assign up[i] = g_level[l-1].c[2*i+1];
                    end else begin : g_odd
                        assign next[i*LW +: LW] = a_wide;
                        assign up[i] = g_level[l-1].c[2*i];
                    end
                end
                if (l % REG == 0 || l == LEVELS) begin : g_register
                    reg [COUNT*LW-1:0] q;
                    reg [COUNT-1:0]    q_up;
                    always @(posedge clk) begin
                        q    <= next;
                        q_up <= up;
                    end
                    assign s = q;
                    assign c = q_up;
                end else begin : g_through
                    assign s = next;
                    assign c = up;
                end
            end
        end
        localparam SW = W + LEVELS < OW ? W + LEVELS : OW;
        assign sum   = {{(OW-SW+1){g_level[LEVELS].s[SW-1]}}, g_level[LEVELS].s[SW-2:0]};
        assign carry = g_level[LEVELS].c;
        if (LEVELS == 0) begin : g_no_clock
            wire unused = clk;
        end
    endgenerate
endmodule

`default_nettype wire
