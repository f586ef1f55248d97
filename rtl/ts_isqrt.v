// Square root: root = floor(sqrt(u)) for every u of UW bits (even), one a cycle. `side` travels along.
//
// Latency ceil(UW / 2 / DIGITS) cycles: DIGITS digits (subtractor and multiplexer each) between registers.
// The outputs keep the last result until the next one.
`default_nettype none

module ts_isqrt #(
    parameter UW     = 36,
    parameter SIDEW  = 1,
    parameter DIGITS = 2,
    parameter RW     = UW / 2 // derived: bits of the root
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             in_valid,
    input  wire [UW-1:0]    in_u,
    input  wire [SIDEW-1:0] in_side,
    output wire             out_valid,
    output wire [RW-1:0]    out_root,
    output wire [SIDEW-1:0] out_side
);
    localparam STAGES = (RW + DIGITS - 1) / DIGITS;
    localparam MW     = RW + 1; // the remainder is at most twice the root

    // What enters stage s is slice s; the last slice is the result.
    wire [STAGES:0]             valid;
    wire [(STAGES+1)*UW-1:0]    u;    // bits not used yet, at the top
    wire [(STAGES+1)*MW-1:0]    rem;
    wire [(STAGES+1)*RW-1:0]    root;
    wire [(STAGES+1)*SIDEW-1:0] side;

    assign valid[0]        = in_valid;
    assign u[UW-1:0]       = in_u;
    assign rem[MW-1:0]     = {MW{1'b0}};
    assign root[RW-1:0]    = {RW{1'b0}};
    assign side[SIDEW-1:0] = in_side;

    genvar s;
    generate
        if (UW < 4 || UW % 2 != 0 || DIGITS < 1) begin : g_guard
            ts_isqrt_needs_an_even_UW_of_at_least_4_and_DIGITS_of_at_least_1 guard ();
        end
        for (s = 0; s < STAGES; s = s + 1) begin : g_stage
            localparam COUNT = RW - s * DIGITS < DIGITS ? RW - s * DIGITS : DIGITS;
            reg  [UW-1:0]    next_u;
            reg  [MW-1:0]    next_rem;
            reg  [RW-1:0]    next_root;
            reg  [MW+1:0]    more;
            reg  [MW+1:0]    trial;
            integer          n;
            reg              valid_q;
            reg  [UW-1:0]    u_q;
            reg  [MW-1:0]    rem_q;
            reg  [RW-1:0]    root_q;
            reg  [SIDEW-1:0] side_q;

            // more - (4*root + 1) lies in -2^(MW+1) ... 2^(MW+1)-1: its top bit is its sign.
            always @* begin
                next_u    = u[s*UW +: UW];
                next_rem  = rem[s*MW +: MW];
                next_root = root[s*RW +: RW];
                more      = {MW+2{1'b0}};
                trial     = {MW+2{1'b0}};
                for (n = 0; n < COUNT; n = n + 1) begin
                    more      = {next_rem, next_u[UW-1 -: 2]};
                    trial     = more - {1'b0, next_root, 2'b01};
                    next_root = (next_root << 1) | {{RW-1{1'b0}}, !trial[MW+1]};
                    next_rem  = trial[MW+1] ? more[MW-1:0] : trial[MW-1:0];
                    next_u    = next_u << 2;
                end
            end

            always @(posedge clk)
                valid_q <= valid[s] && !rst;
            always @(posedge clk)
                if (s < STAGES - 1 || valid[s]) begin
                    u_q    <= next_u;
                    rem_q  <= next_rem;
                    root_q <= next_root;
                    side_q <= side[s*SIDEW +: SIDEW];
                end
            assign valid[s+1]                 = valid_q;
            assign u[(s+1)*UW +: UW]          = u_q;
            assign rem[(s+1)*MW +: MW]        = rem_q;
            assign root[(s+1)*RW +: RW]       = root_q;
            assign side[(s+1)*SIDEW +: SIDEW] = side_q;
        end
    endgenerate

    assign out_valid = valid[STAGES];
    assign out_root  = root[STAGES*RW +: RW];
    assign out_side  = side[STAGES*SIDEW +: SIDEW];
    wire unused = &{1'b0, u[STAGES*UW +: UW], rem[STAGES*MW +: MW]};
endmodule

`default_nettype wire
