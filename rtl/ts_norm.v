// Normalisation: ts_norm_token() of src/num/fixed.h, NP channels a cycle, in three passes over the token's
// B = ceil(D / NP) beats: the sum; t = round((D*x - sum) / 2^TSHIFT) and the sum of its squares; y from t / sqrt(sum + eps).
// All passes of consecutive tokens overlap. MEAN = 0, RMS normalisation: there is no first pass, t = round(x / 2^TSHIFT).
//
// Throughput: one token every B cycles. Latency from a token's acceptance to m_valid, with L = ceil(ceil(log2 NP) / REG):
//     3*B + 2*L + 18 + ceil(18 / DIGITS) + ceil(16 / DIGITS)         (DIGITS = 2: 3*B + 2*L + 35)
//     2*B +   L + 18 + ceil(18 / DIGITS) + ceil(16 / DIGITS)         MEAN = 0
// Multipliers: 3 * NP. DIGITS: digits of the square root and the reciprocal between registers.
//
// Page memories: G, B words a page, word r has channels r*NP ... as NP entries {bias[BIASW], gain[18]}; E, one word a page, eps.
// The token's layer is its page (PAGES = 1: all layers use it). fault[0] (ts_watch): a beat of a result found no room, or a token left
// without a tag. PARITY: words of the page memories have a parity bit on top; fault[1], of G, and fault[2], of E: one was used that is not as
// it was made.
`default_nettype none

module ts_norm #(
    parameter MEAN   = 1, // 0: none is taken off
    parameter D      = 32,
    parameter NP     = 8,
    parameter W      = 16, // of x
    parameter YW     = 16, // of y
    parameter TSHIFT = 4,
    parameter YSHIFT = 16,
    parameter BIASW  = 44,
    parameter EPSW   = 32,
    parameter PAGES  = 1,
    parameter LW     = 1,
    parameter TAGW   = 3,
    parameter REG    = 1,
    parameter DIGITS = 2,
    parameter PSTYLE = "distributed",
    parameter INIT_G = "",
    parameter INIT_E = "",
    parameter CFG_G  = 0,
    parameter CFG_E  = 0,
    parameter PARITY = 0,
    parameter FAULTS = PARITY != 0 ? 3 : 1 // derived
) (
    input  wire            clk,
    input  wire            rst,
    input  wire            cfg_we,
    input  wire [7:0]      cfg_mem,
    input  wire [9:0]      cfg_slice,
    input  wire [15:0]     cfg_addr,
    input  wire [71:0]     cfg_data,
    input  wire            s_valid,
    output wire            s_ready,
    input  wire [D*W-1:0]  s_data,
    input  wire [TAGW-1:0] s_tag,
    output wire            m_valid,
    input  wire            m_ready,
    output wire [D*YW-1:0] m_data,
    output wire [TAGW-1:0] m_tag,
    output wire [FAULTS-1:0] fault
);
    localparam B      = (D + NP - 1) / NP;
    localparam LEVELS = $clog2(NP);
    localparam TREE   = (LEVELS + REG - 1) / REG;
    localparam RSQRT  = 3 + (18 + DIGITS - 1) / DIGITS + (16 + DIGITS - 1) / DIGITS;
    localparam PASS_1 = MEAN != 0 ? B + TREE : 0; // from a row's first beat to that of pass 2
    localparam LATENCY = PASS_1 + 2 * B + TREE + 15 + RSQRT;
    localparam TOKENS = (LATENCY + 2 + B - 1) / B + 1; // in flight at full rate

    // Widths: D*x and the sum, or x; their difference with half a unit; t; squares and their sum.
    localparam SW  = MEAN != 0 ? W + $clog2(D) + 1 : W;
    localparam FW  = SW + 1;
    localparam TX  = MEAN != 0 ? FW - TSHIFT : W - TSHIFT + (TSHIFT > 0 ? 1 : 0);
    localparam TW  = TX < 18 ? TX : 18;
    localparam QW  = 2 * TW + LEVELS;
    localparam VV  = 2 * TW + $clog2(D);
    localparam VW  = (VV > EPSW ? VV : EPSW) + 1;
    localparam PAD = B * NP - D; // lanes without a channel in the last beat

    generate
        if (NP < 1 || NP > D || TSHIFT > FW - 2 || REG < 1 || (MEAN == 0 && (TX > 18 || TX < 2))) begin : g_guard
            ts_norm_needs_NP_of_1_to_D_and_a_TSHIFT_that_leaves_2_to_18_bits guard ();
        end
        if (TAGW < LW || PAGES > 1 << LW || BIASW < 1 || EPSW < 1) begin : g_guard_widths
            ts_norm_needs_TAGW_of_at_least_LW_PAGES_that_LW_can_tell_and_BIASW_and_EPSW_of_at_least_1 guard ();
        end
    endgenerate

    // ---- Acceptance: a token enters when the row is free and its result has a place, which its tag holds until it leaves.
    localparam CRW = $clog2(TOKENS + 1);
    wire           row_next, tag_room, tag_valid;
    wire [CRW-1:0] tag_count;
    wire           load = s_valid && s_ready;

    assign s_ready = row_next && tag_room;
    ts_fifo_lut #(.WIDTH(TAGW), .DEPTH(TOKENS)) tags (
        .clk(clk), .rst(rst), .s_valid(load), .s_ready(tag_room), .s_data(s_tag),
        .m_valid(tag_valid), .m_ready(m_valid && m_ready), .m_data(m_tag), .count(tag_count));
    wire unused_tags = &{1'b0, tag_count};

    // ---- The row, read a beat a cycle.
    localparam [31:0]    HALF  = TSHIFT > 0 ? 32'd1 << (TSHIFT > 0 ? TSHIFT - 1 : 0) : 32'd0;
    localparam [31:0]    MINUS = ~HALF + 32'd1;
    localparam [SW+31:0] MINUS_WIDE = {{SW{MINUS[31]}}, MINUS};

    reg  [B*NP*W-1:0] row;
    reg               row_new;
    reg  [LW-1:0]     row_page;
    wire              row_run, row_last;

    always @(posedge clk)
        row_new <= load && !rst;
    ts_beats #(.BEATS(B)) row_beats (.clk(clk), .rst(rst), .start(row_new), .run(row_run), .last(row_last), .next(row_next));
    wire unused_run = &{1'b0, row_run};

    always @(posedge clk) begin
        row <= row >> (NP * W);
        if (load) begin
            row      <= {{PAD*W{1'b0}}, s_data};
            row_page <= s_tag[LW-1:0];
        end
    end

    // D*x is a sum of shifted x, one for each bit of D that is set: wiring where D is a power of two.
    function integer set_bits(input integer n);
        integer i;
        begin
            set_bits = 0;
            for (i = 0; i < 31; i = i + 1)
                set_bits = set_bits + ((n >> i) & 1);
        end
    endfunction
    function integer set_bit(input integer n, input integer which);
        integer i, seen;
        begin
            set_bit = 0;
            seen    = 0;
            for (i = 0; i < 31; i = i + 1)
                if (((n >> i) & 1) == 1) begin
                    if (seen == which)
                        set_bit = i;
                    seen = seen + 1;
                end
        end
    endfunction

    // ---- Pass 1, with MEAN: the row's beats go into the sum. It is less half a unit of t, which rounds t. Then t, a beat a cycle from sum_valid on.
    wire              sum_valid, t_last;
    wire [NP*TW-1:0]  t;
    genvar i, n;
    generate
        if (MEAN != 0) begin : g_mean
            wire            sum_first, sum_last, t_run, t_next;
            wire [SW-1:0]   beat_sum;
            reg  [FW-1:0]   part, sum;
            wire [FW-1:0]   total = (sum_first ? MINUS_WIDE[FW-1:0] : part) + {beat_sum[SW-1], beat_sum};
            wire [NP*W-1:0] x;
            localparam ONES  = set_bits(D);
            localparam TIMES = ($clog2(ONES) + REG - 1) / REG;
            always @(posedge clk) begin
                part <= total;
                if (sum_last)
                    sum <= total;
            end
            ts_tree #(.N(NP), .W(W), .OW(SW), .REG(REG)) row_tree (.clk(clk), .x(row[NP*W-1:0]), .sum(beat_sum));
            ts_delay #(.WIDTH(1), .CYCLES(TREE)) first_delay (.clk(clk), .in(row_new), .out(sum_first));
            ts_pulse #(.CYCLES(TREE)) last_delay (.clk(clk), .rst(rst), .in(row_last), .out(sum_last));
            ts_pulse #(.CYCLES(1)) sum_delay (.clk(clk), .rst(rst), .in(sum_last), .out(sum_valid));
            ts_beats #(.BEATS(B)) t_beats (.clk(clk), .rst(rst), .start(sum_valid), .run(t_run), .last(t_last), .next(t_next));
            wire unused_t = &{1'b0, t_run, t_next};
            ts_delay #(.WIDTH(NP*W), .CYCLES(B + TREE - TIMES)) x_delay (.clk(clk), .in(row[NP*W-1:0]), .out(x));
            for (i = 0; i < NP; i = i + 1) begin : g_t
                wire [W-1:0]       lane_x = x[i*W +: W];
                wire [ONES*SW-1:0] shifted;
                wire [SW-1:0]      dx;
                wire [FW-1:0]      difference = {dx[SW-1], dx} - sum;
                wire [TW-1:0]      rounded = difference[TSHIFT +: TW];
                for (n = 0; n < ONES; n = n + 1) begin : g_bit
                    localparam BIT = set_bit(D, n);
                    wire [SW+W-1:0] extended = {{SW{lane_x[W-1]}}, lane_x} << BIT;
                    assign shifted[n*SW +: SW] = extended[SW-1:0];
                    wire unused_high = &{1'b0, extended};
                end
                ts_tree #(.N(ONES), .W(SW), .OW(SW), .REG(REG)) times (.clk(clk), .x(shifted), .sum(dx));
                if (i >= NP - PAD) begin : g_pad
                    assign t[i*TW +: TW] = t_last ? {TW{1'b0}} : rounded;
                end else begin : g_full
                    assign t[i*TW +: TW] = rounded;
                end
                wire unused_difference = &{1'b0, difference};
            end
        end else begin : g_rms
            assign sum_valid = row_new;
            assign t_last    = row_last;
            for (i = 0; i < NP; i = i + 1) begin : g_t
                wire [W-1:0]  lane_x = row[i*W +: W]; // zeros in lanes without a channel
                wire [FW-1:0] wide = {lane_x[W-1], lane_x} - MINUS_WIDE[FW-1:0];
                assign t[i*TW +: TW] = wide[TSHIFT +: TW];
                wire unused_wide = &{1'b0, wide};
            end
        end
    endgenerate

    // ---- Pass 2: squares of t, their sum with eps.
    wire [NP*2*TW-1:0] square;
    wire [QW-1:0]     beat_squares;
    wire              v_first, v_last, v_valid;
    wire [EPSW-1:0]   eps;
    reg  [VW-1:0]     v_part, v;
    wire [VW-1:0]     v_total = (v_first ? {{(VW-EPSW){1'b0}}, eps} : v_part) + {{(VW-QW+1){1'b0}}, beat_squares[QW-2:0]};
    wire unused_squares = &{1'b0, beat_squares[QW-1]};
    generate
        for (i = 0; i < NP; i = i + 1) begin : g_square
            ts_mul #(.AW(TW), .BW(TW), .ASIGNED(1), .BSIGNED(1)) squarer (
                .clk(clk), .a(t[i*TW +: TW]), .b(t[i*TW +: TW]), .p(square[i*2*TW +: 2*TW]));
        end
    endgenerate

    ts_tree #(.N(NP), .W(2*TW), .OW(QW), .REG(REG)) square_tree (.clk(clk), .x(square), .sum(beat_squares));
    ts_delay #(.WIDTH(1), .CYCLES(3 + TREE)) v_first_delay (.clk(clk), .in(sum_valid), .out(v_first));
    ts_pulse #(.CYCLES(3 + TREE)) v_last_delay (.clk(clk), .rst(rst), .in(t_last), .out(v_last));
    ts_pulse #(.CYCLES(1)) v_delay (.clk(clk), .rst(rst), .in(v_last), .out(v_valid));
    always @(posedge clk) begin
        v_part <= v_total;
        if (v_last)
            v <= v_total;
    end

    // Whether a token uses what is read.
    wire [1:0] flipped;
    wire       eps_used;
    generate
        if (PARITY != 0) begin : g_used
            ts_pulse #(.CYCLES(3 + TREE)) used_line (.clk(clk), .rst(rst), .in(sum_valid), .out(eps_used));
            assign fault[FAULTS-1 -: 2] = flipped;
        end else begin : g_unchecked
            assign eps_used = 1'b0;
            wire unused_flipped = &{1'b0, flipped};
        end
    endgenerate

    // The page follows its token: to the read of eps (two cycles before it is added), and to v.
    localparam PAGEW = PAGES > 1 ? $clog2(PAGES) : 1;
    wire [LW-1:0]    eps_page, v_page;
    wire [LW+31:0]   eps_page_wide = {32'd0, eps_page};
    ts_delay #(.WIDTH(LW), .CYCLES(PASS_1 + TREE + 1)) eps_page_delay (.clk(clk), .in(row_page), .out(eps_page));
    ts_delay #(.WIDTH(LW), .CYCLES(3)) v_page_delay (.clk(clk), .in(eps_page), .out(v_page));
    ts_mem_checked #(.WIDTH(EPSW), .DEPTH(PAGES), .STYLE(PSTYLE), .INIT(INIT_E), .CFG_ID(CFG_E), .PARITY(PARITY)) eps_mem (
        .clk(clk), .rst(rst), .raddr(PAGES > 1 ? eps_page_wide[PAGEW-1:0] : {PAGEW{1'b0}}), .used(eps_used), .rdata(eps), .flipped(flipped[1]),
        .cfg_we(cfg_we), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), .cfg_addr(cfg_addr), .cfg_data(cfg_data));
    wire unused_page = &{1'b0, eps_page_wide};

    // ---- r / 2^(16+k) ~ 1 / sqrt(v); it stays until the next one comes, at least B cycles later.
    wire          r_valid;
    wire [16:0]   r;
    wire [5:0]    k;
    wire [LW-1:0] r_page;
    ts_rsqrt #(.VW(VW), .SIDEW(LW), .DIGITS(DIGITS)) rsqrt (
        .clk(clk), .rst(rst), .in_valid(v_valid), .in_v(v), .in_side(v_page),
        .out_valid(r_valid), .out_r(r), .out_k(k), .out_side(r_page));

    // ---- Pass 3: z = t*r / 2^k, of which ts_requant rounds the last bit away; y = sat(round((z*gain + bias) / 2^YSHIFT)).
    localparam        GW    = NP * (BIASW + 18);
    localparam        WORDS = PAGES * B;
    localparam        AW    = WORDS > 1 ? $clog2(WORDS) : 1;
    wire              y_run, y_last, y_next, z_valid;
    wire [NP*TW-1:0]  t_again;
    reg  [5:0]        shift_1;
    wire [5:0]        shift;
    wire [GW-1:0]     gains;
    reg  [AW-1:0]     page_start, g_addr;
    reg               page_new;
    wire [NP-1:0]     y_valid;
    wire [NP*YW-1:0]  y;

    ts_beats #(.BEATS(B)) y_beats (.clk(clk), .rst(rst), .start(r_valid), .run(y_run), .last(y_last), .next(y_next));
    wire unused_y = &{1'b0, y_last, y_next, y_valid};
    ts_delay #(.WIDTH(NP*TW), .CYCLES(B + TREE + 3 + RSQRT)) t_delay (.clk(clk), .in(t), .out(t_again));
    ts_pulse #(.CYCLES(4)) z_delay (.clk(clk), .rst(rst), .in(y_run), .out(z_valid));
    ts_delay #(.WIDTH(6), .CYCLES(2)) shift_delay (.clk(clk), .in(shift_1), .out(shift));

    // The first word of the page: one constant of each page, ANDed with its turn.
    wire [PAGES*AW-1:0] page_word;
    reg  [AW-1:0]       first_word;
    integer             p;
    generate
        for (i = 0; i < PAGES; i = i + 1) begin : g_page
            localparam [31:0] PAGE = i;
            localparam [31:0] WORD = i * B;
            assign page_word[i*AW +: AW] = r_page == PAGE[LW-1:0] ? WORD[AW-1:0] : {AW{1'b0}};
        end
    endgenerate
    always @* begin
        first_word = {AW{1'b0}};
        for (p = 0; p < PAGES; p = p + 1)
            first_word = first_word | page_word[p*AW +: AW];
    end
    always @(posedge clk) begin
        shift_1    <= k - 6'd1;
        page_start <= first_word;
        page_new   <= r_valid;
        g_addr     <= page_new ? page_start : g_addr + 1'b1;
    end
    ts_mem_checked #(.WIDTH(GW), .DEPTH(WORDS), .STYLE(PSTYLE), .INIT(INIT_G), .CFG_ID(CFG_G), .PARITY(PARITY)) gain_mem (
        .clk(clk), .rst(rst), .raddr(g_addr), .used(z_valid), .rdata(gains), .flipped(flipped[0]),
        .cfg_we(cfg_we), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), .cfg_addr(cfg_addr), .cfg_data(cfg_data));

    generate
        for (i = 0; i < NP; i = i + 1) begin : g_y
            wire signed [TW+16:0] product;
            wire signed [TW+16:0] scaled = product >>> shift;
            reg         [18:0]    z2; // 2z: |z| is 2^16 at most, a little more for r's rounding
            wire                  tag;
            ts_mul #(.AW(TW), .BW(17), .ASIGNED(1), .BSIGNED(0)) scaler (
                .clk(clk), .a(t_again[i*TW +: TW]), .b(r), .p(product));
            always @(posedge clk)
                z2 <= scaled[18:0];
            wire unused_scaled = &{1'b0, scaled};
            ts_requant #(.IW(19), .S1(1), .S2(YSHIFT), .BIASW(BIASW), .EW(1), .OW(YW)) requant (
                .clk(clk), .rst(rst), .in_valid(z_valid), .in_acc(z2), .in_m(gains[i*(BIASW+18) +: 18]), .in_e(1'b0),
                .in_b(gains[i*(BIASW+18)+18 +: BIASW]), .in_bits(5'd0), .in_tag(1'b0),
                .out_valid(y_valid[i]), .out_y(y[i*YW +: YW]), .out_tag(tag));
            wire unused_tag = &{1'b0, tag};
        end
    endgenerate

    // ---- Results wait as beats and leave as tokens.
    localparam PLACES = TOKENS * B;
    localparam PCW    = $clog2(PLACES + 1);
    wire                beat_room, beat_valid;
    wire [NP*YW-1:0]    beat;
    wire [PCW-1:0]      beat_count;
    reg                 full;
    reg  [B*NP*YW-1:0]  result;
    wire                shift_in = beat_valid && (!full || m_ready);
    wire                result_last;
    ts_fifo_lut #(.WIDTH(NP*YW), .DEPTH(PLACES)) beats (
        .clk(clk), .rst(rst), .s_valid(y_valid[0]), .s_ready(beat_room), .s_data(y),
        .m_valid(beat_valid), .m_ready(shift_in), .m_data(beat), .count(beat_count));
    ts_watch #(.N(2)) watch (
        .clk(clk), .rst(rst), .bad({y_valid[0] && !beat_room, m_valid && m_ready && !tag_valid}), .fault(fault[0]));
    wire unused_beats = &{1'b0, beat_count};

`ifdef FORMAL
    wire [B-1:0] f_place;
`endif
    generate
        if (B == 1) begin : g_single
            assign result_last = 1'b1;
`ifdef FORMAL
            assign f_place = 1;
`endif
            always @(posedge clk)
                if (shift_in)
                    result <= beat;
        end else begin : g_multiple
            reg [B-1:0] place; // one-hot: the beat that comes next
            assign result_last = place[B-1];
`ifdef FORMAL
            assign f_place = place;
`endif
            always @(posedge clk)
                if (rst)
                    place <= {{B-1{1'b0}}, 1'b1};
                else if (shift_in)
                    place <= {place[B-2:0], place[B-1]};
            always @(posedge clk)
                if (shift_in)
                    result <= {beat, result[B*NP*YW-1:NP*YW]};
        end
    endgenerate
    always @(posedge clk)
        full <= !rst && ((full && !m_ready) || (shift_in && result_last));

    assign m_valid = full;
    assign m_data  = result[D*YW-1:0];

`ifdef FORMAL
    // Nothing stalls between acceptance and the FIFO of beats: what happens there follows from when tokens were accepted. Every tag that waits
    // belongs to a token whose beats are on their way, in the FIFO or in the result. So nothing is lost, no beat finds the FIFO full and no
    // token leaves without its tag (ts_watch).
    localparam Y    = PASS_1 + B + TREE + 13 + RSQRT; // from the cycle after acceptance to the first beat at the FIFO
    localparam SPAN = Y + B;
    reg            f_started = 0;
    reg [SPAN-1:0] f_loads; // 1, 2 ... cycles ago
    reg [15:0]     f_beats;
    integer        f_i, f_j;
    always @(posedge clk) begin
        f_started <= 1;
        f_loads   <= rst ? 0 : {f_loads[SPAN-2:0], load};
        f_beats    = beat_count + (full ? B : 0);
        for (f_i = 0; f_i < B; f_i = f_i + 1)
            f_beats = f_beats + (f_loads[Y+f_i] ? B - f_i : 0) + (f_place[f_i] ? f_i : 0);
        for (f_i = 0; f_i < Y; f_i = f_i + 1)
            f_beats = f_beats + (f_loads[f_i] ? B : 0);
        if (!f_started)
            assume (rst);
        else begin
            assert (row_new == f_loads[0]);
            assert (sum_valid == f_loads[PASS_1]);
            assert (v_valid == f_loads[PASS_1+B+TREE+3]);
            assert (r_valid == f_loads[PASS_1+B+TREE+3+RSQRT]);
            assert (z_valid == |f_loads[Y-6 +: B]);
            assert (y_valid[0] == |f_loads[Y +: B]);
            for (f_i = 0; f_i < SPAN; f_i = f_i + 1)
                for (f_j = f_i + 1; f_j < SPAN && f_j < f_i + B; f_j = f_j + 1)
                    assert (!f_loads[f_i] || !f_loads[f_j]);
            assert (f_place != 0 && (f_place & (f_place - 1)) == 0);
            assert (tag_count * B == f_beats);
        end
    end
`endif
endmodule

`default_nettype wire
