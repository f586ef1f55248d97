// Reciprocal square root: ts_rsqrt() of src/num/fixed.h, one a cycle. 1/sqrt(v) ~ r / 2^(16+k), k = half the number of bits of v,
// rounded up; 1 <= v < 2^VW (v = 0 gives junk). `side` travels along.
//
// Latency 3 + ceil(18 / DIGITS) + ceil(16 / DIGITS) cycles, DIGITS as in ts_isqrt and ts_recip.
// The outputs keep the last result until the next one.
`default_nettype none

module ts_rsqrt #(
    parameter VW     = 40,
    parameter SIDEW  = 1,
    parameter DIGITS = 2
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             in_valid,
    input  wire [VW-1:0]    in_v,
    input  wire [SIDEW-1:0] in_side,
    output wire             out_valid,
    output wire [16:0]      out_r,
    output wire [5:0]       out_k,
    output wire [SIDEW-1:0] out_side
);
    // Normalisation in pairs of bits: k = number of pairs up to the highest that is not zero.
    localparam        PAIRS = (VW + 1) / 2;
    localparam        PW    = 2 * PAIRS;
    localparam        UW    = PW > 36 ? PW : 36;
    localparam [31:0] TOP   = PAIRS;

    wire [PW-1:0]    v = {{(PW-VW){1'b0}}, in_v};
    wire [PAIRS:0]   above; // something is not zero in this pair or higher
    wire [PAIRS-1:0] leading = above[PAIRS-1:0] & ~above[PAIRS:1];
    wire [5:0]       k;

    // One bit of every number i + 1 of which `leading` can tell.
    function [PAIRS-1:0] pair_with_bit(input integer b);
        integer i;
        for (i = 0; i < PAIRS; i = i + 1)
            pair_with_bit[i] = ((i + 1) >> b) % 2 == 1;
    endfunction

    genvar n;
    generate
        if (VW < 2 || VW > 62) begin : g_guard
            ts_rsqrt_needs_VW_of_2_to_62 guard ();
        end
        for (n = 0; n < PAIRS; n = n + 1) begin : g_above
            assign above[n] = |v[PW-1:2*n];
        end
        for (n = 0; n < 6; n = n + 1) begin : g_k
            localparam [PAIRS-1:0] TAKE = pair_with_bit(n);
            assign k[n] = |(leading & TAKE);
        end
    endgenerate
    assign above[PAIRS] = 1'b0;

    reg              length_valid, u_valid;
    reg  [PW-1:0]    length_v;
    reg  [5:0]       length_k, length_up, u_k;
    reg  [SIDEW-1:0] length_side, u_side;
    reg  [35:0]      u;
    wire [UW-1:0]    wide = {length_v, {(UW-PW){1'b0}}} << {length_up, 1'b0};

    always @(posedge clk) begin
        length_valid <= in_valid && !rst;
        u_valid      <= length_valid && !rst;
    end
    always @(posedge clk) begin
        length_v    <= v;
        length_k    <= k;
        length_up   <= TOP[5:0] - k;
        length_side <= in_side;
        u           <= wide[UW-1 -: 36]; // the highest pair on top; lower bits than 36 are cut off
        u_k         <= length_k;
        u_side      <= length_side;
    end
    wire unused = &{1'b0, wide};

    wire             root_valid;
    wire [17:0]      root;
    wire [5:0]       root_k;
    wire [SIDEW-1:0] root_side;
    ts_isqrt #(.UW(36), .SIDEW(6 + SIDEW), .DIGITS(DIGITS)) isqrt (
        .clk(clk), .rst(rst), .in_valid(u_valid), .in_u(u), .in_side({u_k, u_side}),
        .out_valid(root_valid), .out_root(root), .out_side({root_k, root_side}));

    wire [5:0] root_len; // always 18
    ts_recip #(.DW(18), .SIDEW(6 + SIDEW), .DIGITS(DIGITS)) recip (
        .clk(clk), .rst(rst), .in_valid(root_valid), .in_d(root), .in_side({root_k, root_side}),
        .out_valid(out_valid), .out_r(out_r), .out_len(root_len), .out_side({out_k, out_side}));
    wire unused_len = &{1'b0, root_len};
endmodule

`default_nettype wire
