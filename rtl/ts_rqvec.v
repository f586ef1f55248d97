// Requantisation of a vector of D signed values, with the channel's own parameters: y = sat(round((x * m + b) >> (S2 + e))).
// NR values a cycle: a token stays offered for STEPS = ceil(D / NR) cycles and is taken with the last one; a new one exactly every
// STEPS cycles while the output is taken. From the first of these cycles to the first cycle of its m_valid: STEPS + 9,
// and one where STEPS > 1.
// Page memory: word page * STEPS + r, `page` = the layer in s_tag: NR entries {b[BIASW-1:0] if BIASW, bits[4:0] if VARBITS,
// e[EW-1:0], m[17:0]} of channels r*NR + i. Nothing stalls inside: a token is issued only when there is room at the output for it,
// which ts_watch checks (fault[0]): of results, of tags that come and tags that leave. PARITY: words of the page memory have a parity bit on
// top; fault[1]: one was used that is not as it was made.
`default_nettype none

module ts_rqvec #(
    parameter D       = 8,
    parameter NR      = 2,
    parameter XW      = 16,
    parameter S2      = 16,
    parameter EW      = 3,
    parameter BIASW   = 0,
    parameter YW      = 12,
    parameter VARBITS = 0,
    parameter PAGES   = 1,
    parameter LW      = 1,
    parameter TAGW    = LW + 2,
    parameter PSTYLE  = "distributed",
    parameter INIT_Q  = "",
    parameter CFG_Q   = 0,
    parameter PARITY  = 0,
    parameter FAULTS  = PARITY != 0 ? 2 : 1 // derived
) (
    input  wire            clk,
    input  wire            rst,
    input  wire            s_valid,
    output wire            s_ready,
    input  wire [D*XW-1:0] s_data,
    input  wire [TAGW-1:0] s_tag,
    output wire            m_valid,
    input  wire            m_ready,
    output wire [D*YW-1:0] m_data,
    output wire [TAGW-1:0] m_tag,
    input  wire            cfg_we,
    input  wire [7:0]      cfg_mem,
    input  wire [9:0]      cfg_slice,
    input  wire [15:0]     cfg_addr,
    input  wire [71:0]     cfg_data,
    output wire [FAULTS-1:0] fault
);
    localparam STEPS = (D + NR - 1) / NR;
    localparam QE    = 18 + EW + (VARBITS != 0 ? 5 : 0) + BIASW;
    localparam BPW   = BIASW > 0 ? BIASW : 1;
    localparam LAG   = 9;
    // What is in flight at full rate, a token that the next stage works on, and one more.
    localparam DEPTH = (STEPS + LAG + 2 + STEPS - 1) / STEPS + 2;
    localparam CW    = $clog2(DEPTH + 1);
    localparam QAW   = PAGES * STEPS > 1 ? $clog2(PAGES * STEPS) : 1;
    localparam SCW   = STEPS > 1 ? $clog2(STEPS) : 1;

    localparam [31:0] LAST        = STEPS - 1;
    localparam [31:0] FULL        = DEPTH;
    localparam [31:0] FULL_LESS_1 = DEPTH - 1;

    generate
        if (NR > D) begin : g_guard
            ts_rqvec_needs_NR_of_at_most_D guard ();
        end
    endgenerate

    // ---- issue: NR values a cycle, straight from the token that is offered
    reg            room;
    reg  [SCW-1:0] count;
    reg  [CW-1:0]  used; // places at the output that are taken or promised
    wire           first = count == {SCW{1'b0}};
    wire           last  = count == LAST[SCW-1:0];
    wire           begins = s_valid && first && room;
    wire           busy  = begins || !first;
    wire           pop   = m_valid && m_ready;

    assign s_ready = last && (!first || room);

    always @(posedge clk)
        if (rst) begin
            room  <= 1'b0;
            used  <= {CW{1'b0}};
            count <= {SCW{1'b0}};
        end else begin
            if (begins && !pop)
                used <= used + 1'b1;
            if (pop && !begins)
                used <= used - 1'b1;
            room <= pop || !(used == FULL[CW-1:0] || (begins && used == FULL_LESS_1[CW-1:0]));
            if (busy)
                count <= last ? {SCW{1'b0}} : count + 1'b1;
        end

    wire [STEPS*NR*XW-1:0] x;
    reg  [QAW-1:0]         addr;
    wire [QAW-1:0]         addr_new;
    generate
        if (STEPS * NR > D) begin : g_pad
            assign x = {{((STEPS*NR-D)*XW){1'b0}}, s_data};
        end else begin : g_no_pad
            assign x = s_data;
        end
    endgenerate
    ts_page #(.LW(LW), .PAGES(PAGES), .STRIDE(STEPS), .AW(QAW)) page_q (.page(s_tag[LW-1:0]), .base(addr_new));
    always @(posedge clk)
        addr <= first ? addr_new : addr + 1'b1;

    // ---- parameters and requantisers
    wire [NR*XW-1:0] x_2, x_3;
    wire [NR*QE-1:0] q;
    wire [NR*YW-1:0] y;
    wire [NR-1:0]    rq_valid, rq_tag;
    reg  [2:0]       step;
    always @(posedge clk)
        step <= rst ? 3'b0 : {step[1:0], busy};
    ts_select #(.N(STEPS), .WIDTH(NR * XW)) select (.clk(clk), .x(x), .sel(count), .y(x_2));
    ts_delay #(.WIDTH(NR * XW), .CYCLES(1)) delay_x (.clk(clk), .in(x_2), .out(x_3));
    wire flipped;
    ts_mem_checked #(.WIDTH(NR * QE), .DEPTH(PAGES * STEPS), .STYLE(PSTYLE), .INIT(INIT_Q), .CFG_ID(CFG_Q), .PARITY(PARITY)) mem_q (
        .clk(clk), .rst(rst), .raddr(addr), .used(step[2]), .rdata(q), .flipped(flipped),
        .cfg_we(cfg_we), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), .cfg_addr(cfg_addr), .cfg_data(cfg_data));

    genvar i;
    generate
        if (FAULTS > 1) begin : g_flipped
            assign fault[FAULTS-1] = flipped;
        end else begin : g_unchecked
            wire unused_flipped = &{1'b0, flipped};
        end
        for (i = 0; i < NR; i = i + 1) begin : g_requant
            wire [4:0]     width;
            wire [BPW-1:0] bias;
            if (VARBITS != 0) begin : g_bits
                assign width = q[i*QE+18+EW +: 5];
            end else begin : g_no_bits
                assign width = 5'd0;
            end
            if (BIASW != 0) begin : g_bias
                assign bias = q[(i+1)*QE-BPW +: BPW];
            end else begin : g_no_bias
                assign bias = 1'b0;
            end
            ts_requant #(.IW(XW), .S1(0), .S2(S2), .BIASW(BIASW), .EW(EW), .OW(YW), .OSIGNED(1), .VARBITS(VARBITS)) requant (
                .clk(clk), .rst(rst), .in_valid(step[2]), .in_acc(x_3[i*XW +: XW]), .in_m(q[i*QE +: 18]),
                .in_e(q[i*QE+18 +: EW]), .in_b(bias), .in_bits(width), .in_tag(1'b0),
                .out_valid(rq_valid[i]), .out_y(y[i*YW +: YW]), .out_tag(rq_tag[i]));
        end
    endgenerate
    // The lanes run together: lane 0 speaks for all.
    wire unused = &{1'b0, rq_valid, rq_tag};

`ifdef FORMAL
    wire [15:0] f_inside;
`endif
    // ---- collect and put out; tags wait beside the data
    wire [STEPS*NR*YW-1:0] vector;
    wire                   tag_ready, tag_valid, collect_fault;
    wire [CW-1:0]          tag_count;
    ts_collect #(.WIDTH(NR * YW), .BEATS(STEPS), .DEPTH(DEPTH)) collect (
        .clk(clk), .rst(rst), .s_valid(rq_valid[0]), .s_data(y), .m_valid(m_valid), .m_ready(m_ready), .m_data(vector),
`ifdef FORMAL
        .f_inside(f_inside),
`endif
        .fault(collect_fault));
    assign m_data = vector[D*YW-1:0];
    ts_fifo_lut #(.WIDTH(TAGW), .DEPTH(DEPTH)) tags (
        .clk(clk), .rst(rst), .s_valid(begins), .s_ready(tag_ready), .s_data(s_tag),
        .m_valid(tag_valid), .m_ready(pop), .m_data(m_tag), .count(tag_count));
    // Credits make sure that nothing is ever full when it is written.
    ts_watch #(.N(3)) watch (
        .clk(clk), .rst(rst), .bad({collect_fault, begins && !tag_ready, pop && !tag_valid}), .fault(fault[0]));
    wire unused_collect = &{1'b0, vector, tag_count};

`ifdef FORMAL
    // Every place that is used belongs to a token that has begun: its beats are still to be issued, on their way, or in ts_collect, and its
    // tag waits. So nothing is lost, nothing is full when it is written (ts_watch, ts_collect), nothing is empty when it is read.
    reg          f_started = 0;
    reg  [5:0]   f_line; // a copy of ts_requant's
    integer      f_i;
    reg  [15:0]  f_beats;
    always @(posedge clk) begin
        f_started <= 1;
        f_line    <= rst ? 0 : {f_line[4:0], step[2]};
        f_beats    = first ? 0 : STEPS - count;
        for (f_i = 0; f_i < 3; f_i = f_i + 1)
            f_beats = f_beats + step[f_i];
        for (f_i = 0; f_i < 6; f_i = f_i + 1)
            f_beats = f_beats + f_line[f_i];
        if (!f_started)
            assume (rst);
        else begin
            assert (rq_valid[0] == f_line[5]);
            assert (count <= LAST && used <= DEPTH && (!room || used < DEPTH));
            assert (used * STEPS == f_beats + f_inside);
            assert (used == tag_count);
        end
    end
`endif
endmodule

`default_nettype wire
