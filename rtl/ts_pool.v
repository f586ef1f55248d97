// Pools the tokens of an event into one vector of its last token's tag. MODE "max": the largest value of each channel; "first": the
// first token; "mean": ts_wmean() of src/num/fixed.h, the sum divided by the number of tokens.
// A token a cycle; the cycle after an event's last one none is accepted, and no further one until its vector has been taken
// ("mean": until the division has taken over the sums, which it does when it is idle).
// Latency from the last token to m_valid: 1; "mean": D + 10 + ceil(16 / DIGITS), one channel a cycle through one multiplier.
`default_nettype none

module ts_pool #(
    parameter D      = 32,
    parameter W      = 16,
    parameter NMAX   = 16, // tokens of the longest event
    parameter MODE   = "mean",
    parameter LW     = 1,
    parameter TAGW   = 3,
    parameter DIGITS = 2   // of the reciprocal, between registers
) (
    input  wire            clk,
    input  wire            rst,
    input  wire            s_valid,
    output wire            s_ready,
    input  wire [D*W-1:0]  s_data,
    input  wire [TAGW-1:0] s_tag,
    output wire            m_valid,
    input  wire            m_ready,
    output wire [D*W-1:0]  m_data,
    output wire [TAGW-1:0] m_tag,
    output wire            fault // ts_watch ("mean"): a vector was divided while another one waited
);
    localparam AW = MODE == "mean" ? W + $clog2(NMAX) : W;

    reg              first; // the next token begins an event
    reg              full;  // `pooled` is complete
    reg  [TAGW-1:0]  tag;
    wire [D*AW-1:0]  pooled;
    wire             take = s_valid && s_ready;
    wire             release_it;

    assign s_ready = !full;
    always @(posedge clk)
        if (rst) begin
            first <= 1'b1;
            full  <= 1'b0;
        end else begin
            if (take)
                first <= s_tag[LW];
            full <= full ? !release_it : take && s_tag[LW];
        end
    always @(posedge clk)
        if (take)
            tag <= s_tag;

    genvar i;
    generate
        if (TAGW <= LW || W > 24) begin : g_guard
            ts_pool_needs_TAGW_above_LW_and_W_of_at_most_24 guard ();
        end
        for (i = 0; i < D; i = i + 1) begin : g_channel
            wire signed [W-1:0]  x = s_data[i*W +: W];
            reg  signed [AW-1:0] acc;
            assign pooled[i*AW +: AW] = acc;
            if (MODE == "mean") begin : g_mean
                wire [AW-1:0] wide = {{(AW-W+1){x[W-1]}}, x[W-2:0]};
                always @(posedge clk)
                    if (take)
                        acc <= (first ? {AW{1'b0}} : acc) + wide;
            end else if (MODE == "max") begin : g_max
                always @(posedge clk)
                    if (take && (first || x > acc))
                        acc <= x;
            end else if (MODE == "first") begin : g_first
                always @(posedge clk)
                    if (take && first)
                        acc <= x;
            end else begin : g_guard
                ts_pool_MODE_is_mean_max_or_first guard ();
            end
        end

        if (MODE != "mean") begin : g_direct
            assign m_valid    = full;
            assign m_data     = pooled;
            assign m_tag      = tag;
            assign fault      = 1'b0;
            assign release_it = m_ready;
        end else begin : g_divide
            localparam        NW  = $clog2(NMAX + 1);
            localparam        SW  = AW + 25 - W;
            localparam        ZW  = 26; // a value and one bit more, which ts_requant rounds away
            localparam        ALL = SW > ZW ? SW : ZW;
            localparam [31:0] ONE = 1;

            reg  [NW-1:0]   n; // tokens of the event
            reg  [D*AW-1:0] sums;
            reg             busy, valid;
            reg  [D*W-1:0]  mean;
            reg  [TAGW-1:0] mean_tag;
            wire            start = full && !busy;

            assign release_it = !busy;
            always @(posedge clk)
                if (take)
                    n <= first ? ONE[NW-1:0] : n + 1'b1;

            // 1/n, then a value every cycle: value / n = (value * 2^(25-W) / 2^len) * r with the first product in 25 bits.
            wire         r_valid, run, last, next, z_valid, y_valid, side, y_tag;
            wire         divide, done;
            wire [16:0]  r;
            wire [5:0]   len;
            wire [W-1:0] y;
            ts_recip #(.DW(NW), .SIDEW(1), .DIGITS(DIGITS)) recip (
                .clk(clk), .rst(rst), .in_valid(start), .in_d(n), .in_side(1'b0),
                .out_valid(r_valid), .out_r(r), .out_len(len), .out_side(side));
            ts_pulse #(.CYCLES(1)) divide_delay (.clk(clk), .rst(rst), .in(r_valid), .out(divide));
            ts_beats #(.BEATS(D)) channels (.clk(clk), .rst(rst), .start(divide), .run(run), .last(last), .next(next));
            ts_pulse #(.CYCLES(1)) z_delay (.clk(clk), .rst(rst), .in(run), .out(z_valid));
            ts_pulse #(.CYCLES(7)) done_delay (.clk(clk), .rst(rst), .in(last), .out(done));

            reg  [5:0]            shift;
            reg  [ZW-1:0]         z2;
            wire [AW-1:0]         sum = sums[AW-1:0];
            wire signed [ALL-1:0] raised = {{(ALL-SW+1){sum[AW-1]}}, sum[AW-2:0], {25-W{1'b0}}};
            wire [ALL-1:0]        scaled = raised >>> shift;
            wire [(D+1)*W-1:0]    means = {y, mean};
            always @(posedge clk) begin
                shift <= len - 6'd1;
                z2    <= scaled[ZW-1:0];
                sums  <= start ? pooled : run ? sums >> AW : sums;
                if (start)
                    mean_tag <= tag;
                if (y_valid)
                    mean <= means[W +: D*W];
            end
            ts_requant #(.IW(ZW), .S1(1), .S2(41 - W), .BIASW(0), .EW(1), .OW(W)) requant (
                .clk(clk), .rst(rst), .in_valid(z_valid), .in_acc(z2), .in_m({1'b0, r}), .in_e(1'b0), .in_b(1'b0),
                .in_bits(5'd0), .in_tag(1'b0), .out_valid(y_valid), .out_y(y), .out_tag(y_tag));
            wire unused = &{1'b0, next, side, y_tag, scaled, means[W-1:0]};

            always @(posedge clk)
                if (rst) begin
                    busy  <= 1'b0;
                    valid <= 1'b0;
                end else begin
                    busy  <= start || (busy && !(valid && m_ready));
                    valid <= done || (valid && !m_ready);
                end
            assign m_valid = valid;
            assign m_data  = mean;
            assign m_tag   = mean_tag;
            ts_watch watch (.clk(clk), .rst(rst), .bad(done && valid), .fault(fault));
        end
    endgenerate
endmodule

`default_nettype wire
