// Residual sum: m = sat(a + b), D values of W bits, signed, saturated symmetrically. A token of the branch (a, whose tag goes on)
// waits for its residual (b) and the other way round.
//   NR = D: latency 2, one token a cycle (HALF = 1: every other cycle).
//   NR < D: NR values a cycle, in STEPS = ceil(D / NR) cycles in which both tokens stay offered; they are taken with the last step.
//           From the first step to m_valid: STEPS + 2; so many cycles a token, too, while the output is taken.
`default_nettype none

module ts_radd #(
    parameter D    = 32,
    parameter W    = 16,
    parameter TAGW = 3,
    parameter NR   = D,
    parameter HALF = 0 // NR = D: its slice takes a word every other cycle
) (
    input  wire            clk,
    input  wire            rst,
    input  wire            a_valid,
    output wire            a_ready,
    input  wire [D*W-1:0]  a_data,
    input  wire [TAGW-1:0] a_tag,
    input  wire            b_valid,
    output wire            b_ready,
    input  wire [D*W-1:0]  b_data,
    output wire            m_valid,
    input  wire            m_ready,
    output wire [D*W-1:0]  m_data,
    output wire [TAGW-1:0] m_tag,
    output wire            fault // ts_watch (NR < D): values of a sum came while another one waited
);
    localparam [W-1:0] HIGH = {1'b0, {W-1{1'b1}}};
    localparam [W-1:0] LOW  = ~HIGH + 1'b1;

    localparam STEPS = (D + NR - 1) / NR;

    // ---- NR values: sum, then saturation
    wire [NR*W-1:0]     x, r; // of the branch and of the residual
    wire                enable;
    reg  [NR*(W+1)-1:0] sum;
    wire [NR*W-1:0]     y;
    genvar i;
    generate
        if (W < 2 || NR > D) begin : g_guard
            ts_radd_needs_W_of_at_least_2_and_NR_of_at_most_D guard ();
        end
        for (i = 0; i < NR; i = i + 1) begin : g_value
            wire [W-1:0] xi = x[i*W +: W];
            wire [W-1:0] ri = r[i*W +: W];
            wire [W:0]   s = sum[i*(W+1) +: W+1];
            wire         over = s[W] != s[W-1];
            always @(posedge clk)
                if (enable)
                    sum[i*(W+1) +: W+1] <= {xi[W-1], xi} + {ri[W-1], ri};
            // The lowest W-bit number is below the format, too.
            assign y[i*W +: W] = over || s[W-1:0] == ~HIGH ? (s[W] ? LOW : HIGH) : s[W-1:0];
        end
    endgenerate

    reg [TAGW-1:0] tag;
    generate
        if (STEPS == 1) begin : g_whole
            reg  valid;
            wire out_ready;
            wire room = !valid || out_ready;

            assign fault   = 1'b0;
            assign a_ready = room && b_valid;
            assign b_ready = room && a_valid;
            assign x       = a_data;
            assign r       = b_data;
            assign enable  = room;
            always @(posedge clk)
                if (rst)
                    valid <= 1'b0;
                else if (room)
                    valid <= a_valid && b_valid;
            always @(posedge clk)
                if (room)
                    tag <= a_tag;
            ts_slice #(.WIDTH(TAGW + D*W), .HALF(HALF)) slice (
                .clk(clk), .rst(rst), .s_valid(valid), .s_ready(out_ready), .s_data({tag, y}),
                .m_valid(m_valid), .m_ready(m_ready), .m_data({m_tag, m_data}));
        end else begin : g_fold
            localparam        SW   = $clog2(STEPS);
            localparam        PAD  = STEPS*NR - D;
            localparam [31:0] LAST = STEPS - 1;

            reg  [SW-1:0]         step;
            reg                   free;   // nothing is under way and no result waits
            reg                   picked, summed, last_picked, last_summed, done;
            reg  [NR*W-1:0]       x_1, r_1;
            reg  [STEPS*NR*W-1:0] out;    // filled from above
            wire [STEPS*NR*W-1:0] a_words, b_words;
            wire [NR*W-1:0]       x_0, r_0;
            wire                  first = step == {SW{1'b0}};
            wire                  last = step == LAST[SW-1:0];
            wire                  go = first ? a_valid && b_valid && (free || (done && m_ready)) : 1'b1;

            if (PAD > 0) begin : g_pad
                assign a_words = {{(PAD*W){1'b0}}, a_data};
                assign b_words = {{(PAD*W){1'b0}}, b_data};
                wire unused = &{1'b0, out[STEPS*NR*W-1:D*W]};
            end else begin : g_no_pad
                assign a_words = a_data;
                assign b_words = b_data;
            end
            ts_pick #(.N(STEPS), .WIDTH(NR*W)) pick_a (.x(a_words), .sel(step), .y(x_0));
            ts_pick #(.N(STEPS), .WIDTH(NR*W)) pick_b (.x(b_words), .sel(step), .y(r_0));
            assign a_ready = last;
            assign b_ready = last;
            assign x       = x_1;
            assign r       = r_1;
            assign enable  = 1'b1;
            assign m_valid = done;
            assign m_data  = out[D*W-1:0];
            assign m_tag   = tag;
            ts_watch watch (.clk(clk), .rst(rst), .bad(summed && done), .fault(fault));

            always @(posedge clk)
                if (rst) begin
                    step        <= {SW{1'b0}};
                    free        <= 1'b1;
                    picked      <= 1'b0;
                    summed      <= 1'b0;
                    last_picked <= 1'b0;
                    last_summed <= 1'b0;
                    done        <= 1'b0;
                end else begin
                    if (go)
                        step <= last ? {SW{1'b0}} : step + 1'b1;
                    free        <= !go && (free || (done && m_ready));
                    picked      <= go;
                    summed      <= picked;
                    last_picked <= last;
                    last_summed <= last_picked;
                    done        <= last_summed || (done && !m_ready);
                end
            always @(posedge clk) begin
                x_1 <= x_0;
                r_1 <= r_0;
                if (summed)
                    out <= {y, out[STEPS*NR*W-1:NR*W]};
                if (last)
                    tag <= a_tag;
            end
        end
    endgenerate
endmodule

`default_nettype wire
