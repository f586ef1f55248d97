// Reciprocal: ts_recip() of src/num/fixed.h, one a cycle. r = floor((2^(len+16) - 1) / d), 2^16 <= r < 2^17, with len = the
// number of bits of d, 1 <= d < 2^DW (d = 0 gives junk). `side` travels along.
//
// Latency 1 + ceil(16 / DIGITS) cycles: DIGITS digits (subtractor and multiplexer each) between registers.
// The outputs keep the last result until the next one.
`default_nettype none

module ts_recip #(
    parameter DW     = 18,
    parameter SIDEW  = 1,
    parameter DIGITS = 2
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             in_valid,
    input  wire [DW-1:0]    in_d,
    input  wire [SIDEW-1:0] in_side,
    output wire             out_valid,
    output wire [16:0]      out_r,
    output wire [5:0]       out_len,
    output wire [SIDEW-1:0] out_side
);
    localparam STAGES = (16 + DIGITS - 1) / DIGITS;

    // The numerator is all ones, so the first digit is always 1 and leaves (2^len - 1) - d: d inverted below its leading one.
    // Each further digit brings in another 1. Nothing is shifted into place: the same step works for every length.
    wire [DW-1:0]    filled; // ones from the leading one down
    reg              first_valid;
    reg  [DW-1:0]    first_d, first_rem, first_filled;
    reg  [SIDEW-1:0] first_side;
    wire [DW-1:0]    leading = first_filled & ~(first_filled >> 1);
    wire [5:0]       first_len;

    always @(posedge clk)
        first_valid <= in_valid && !rst;
    always @(posedge clk) begin
        first_d      <= in_d;
        first_rem    <= ~in_d & filled;
        first_filled <= filled;
        first_side   <= in_side;
    end

    // One bit of every number i + 1 of which `leading` can tell.
    function [DW-1:0] with_bit(input integer b);
        integer i;
        for (i = 0; i < DW; i = i + 1)
            with_bit[i] = ((i + 1) >> b) % 2 == 1;
    endfunction

    // What enters stage s is slice s; the last slice is the result.
    wire [STAGES:0]               valid;
    wire [(STAGES+1)*DW-1:0]      d, rem;
    wire [(STAGES+1)*17-1:0]      r;
    wire [(STAGES+1)*6-1:0]       len;
    wire [(STAGES+1)*SIDEW-1:0]   side;

    assign valid[0]         = first_valid;
    assign d[DW-1:0]        = first_d;
    assign rem[DW-1:0]      = first_rem;
    assign r[16:0]          = 17'd1;
    assign len[5:0]         = first_len;
    assign side[SIDEW-1:0]  = first_side;

    genvar i, s;
    generate
        if (DW < 1 || DW > 46 || DIGITS < 1 || DIGITS > 16) begin : g_guard
            ts_recip_needs_DW_of_1_to_46_and_DIGITS_of_1_to_16 guard ();
        end
        for (i = 0; i < DW; i = i + 1) begin : g_filled
            assign filled[i] = |in_d[DW-1:i];
        end
        for (i = 0; i < 6; i = i + 1) begin : g_len
            localparam [DW-1:0] TAKE = with_bit(i);
            assign first_len[i] = |(leading & TAKE);
        end
        for (s = 0; s < STAGES; s = s + 1) begin : g_stage
            localparam COUNT = 16 - s * DIGITS < DIGITS ? 16 - s * DIGITS : DIGITS;
            wire [DW-1:0]    now_d = d[s*DW +: DW];
            reg  [DW-1:0]    next_rem;
            reg  [16:0]      next_r;
            reg  [DW:0]      more, trial;
            integer          n;
            reg              valid_q;
            reg  [DW-1:0]    d_q, rem_q;
            reg  [16:0]      r_q;
            reg  [5:0]       len_q;
            reg  [SIDEW-1:0] side_q;

            always @* begin
                next_rem = rem[s*DW +: DW];
                next_r   = r[s*17 +: 17];
                more     = {DW+1{1'b0}};
                trial    = {DW+1{1'b0}};
                for (n = 0; n < COUNT; n = n + 1) begin
                    more     = {next_rem, 1'b1};
                    trial    = more - {1'b0, now_d};
                    next_r   = {next_r[15:0], !trial[DW]};
                    next_rem = trial[DW] ? more[DW-1:0] : trial[DW-1:0];
                end
            end

            always @(posedge clk)
                valid_q <= valid[s] && !rst;
            always @(posedge clk)
                if (s < STAGES - 1 || valid[s]) begin
                    d_q    <= now_d;
                    rem_q  <= next_rem;
                    r_q    <= next_r;
                    len_q  <= len[s*6 +: 6];
                    side_q <= side[s*SIDEW +: SIDEW];
                end
            assign valid[s+1]                     = valid_q;
            assign d[(s+1)*DW +: DW]              = d_q;
            assign rem[(s+1)*DW +: DW]            = rem_q;
            assign r[(s+1)*17 +: 17]              = r_q;
            assign len[(s+1)*6 +: 6]              = len_q;
            assign side[(s+1)*SIDEW +: SIDEW]     = side_q;
        end
    endgenerate

    assign out_valid = valid[STAGES];
    assign out_r     = r[STAGES*17 +: 17];
    assign out_len   = len[STAGES*6 +: 6];
    assign out_side  = side[STAGES*SIDEW +: SIDEW];
    wire unused = &{1'b0, d[STAGES*DW +: DW], rem[STAGES*DW +: DW]};
endmodule

`default_nettype wire
