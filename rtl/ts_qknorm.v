// Norms on queries and keys, between the q, k, v linears and attention: q and k are GROUPS vectors of D channels each, which two ts_norm
// normalise one after another, side by side; v waits beside them. A token is read straight from the stream, where it stays offered, and is
// taken with its last group.
//
// Throughput: one token every GROUPS * B cycles, B = ceil(D / NP). Latency from the cycle in which a token is first offered to m_valid:
// that of ts_norm + (GROUPS - 1) * B + 1. Multipliers: 6 * NP. A token that is offered for long, as attention does, keeps no other back.
//
// s_data: q, k, v, GROUPS * D values each in XW bits, of which q and k use W and v VW. m_data: the same in YW bits: QW, KW and VW of them.
// Page memories are those of the two ts_norm; a page is a layer's group: layer * 2^ceil(log2 GROUPS) + group.
// fault[0] (ts_watch): a norm's, or a token leaves without its v. PARITY, of both: fault[2:1] of the norm on q, [4:3] of that on k.
`default_nettype none

module ts_qknorm #(
    parameter MEAN    = 1, // of both norms: 0: none is taken off
    parameter D       = 8,
    parameter GROUPS  = 4,
    parameter NP      = 4,
    parameter W       = 16,
    parameter XW      = 16,
    parameter QW      = 12,
    parameter KW      = 12,
    parameter VW      = 12,
    parameter YW      = 12,
    parameter TSHIFT  = 2,
    parameter QYSHIFT = 16,
    parameter KYSHIFT = 16,
    parameter QBIASW  = 44,
    parameter KBIASW  = 44,
    parameter EPSW    = 32,
    parameter PAGES   = 1, // layers
    parameter LW      = 1,
    parameter TAGW    = 3,
    parameter REG     = 1,
    parameter DIGITS  = 2,
    parameter PSTYLE  = "distributed",
    parameter INIT_QG = "",
    parameter INIT_QE = "",
    parameter INIT_KG = "",
    parameter INIT_KE = "",
    parameter CFG_QG  = 0,
    parameter CFG_QE  = 0,
    parameter CFG_KG  = 0,
    parameter CFG_KE  = 0,
    parameter PARITY  = 0,
    parameter FAULTS  = PARITY != 0 ? 5 : 1 // derived
) (
    input  wire                     clk,
    input  wire                     rst,
    input  wire                     cfg_we,
    input  wire [7:0]               cfg_mem,
    input  wire [9:0]               cfg_slice,
    input  wire [15:0]              cfg_addr,
    input  wire [71:0]              cfg_data,
    input  wire                     s_valid,
    output wire                     s_ready,
    input  wire [3*GROUPS*D*XW-1:0] s_data,
    input  wire [TAGW-1:0]          s_tag,
    output wire                     m_valid,
    input  wire                     m_ready,
    output wire [3*GROUPS*D*YW-1:0] m_data,
    output wire [TAGW-1:0]          m_tag,
    output wire [FAULTS-1:0]        fault
);
    localparam INNER  = GROUPS * D;
    localparam B      = (D + NP - 1) / NP;
    localparam TREE   = ($clog2(NP) + REG - 1) / REG;
    localparam NORM   = (MEAN != 0 ? B + TREE : 0) + 2 * B + TREE + 18 + (18 + DIGITS - 1) / DIGITS + (16 + DIGITS - 1) / DIGITS;
    localparam SPAN   = GROUPS * B;
    localparam PLACES = (NORM + 2 * SPAN + 2) / SPAN + 1; // tokens inside at full rate
    localparam GW     = GROUPS > 1 ? $clog2(GROUPS) : 0;
    localparam PW     = LW + GW; // bits of a page's number

    generate
        if (GROUPS < 1 || GROUPS > 32) begin : g_guard
            ts_qknorm_needs_1_to_32_GROUPS guard ();
        end
        if (XW < W || XW < VW || YW < QW || YW < KW || YW < VW || PAGES > 1 << LW || TAGW < LW) begin : g_guard_widths
            ts_qknorm_needs_XW_of_at_least_W_and_VW_YW_of_at_least_QW_KW_and_VW_and_PAGES_that_LW_can_tell guard ();
        end
    endgenerate

    // ---- What is read of the offered token: v whole, with its first group; a group of q and k at a time.
    wire [INNER*W-1:0]  all_q, all_k;
    wire [INNER*VW-1:0] all_v;
    wire [D*W-1:0]      q, k;
    wire [PW-1:0]       page;
    wire                first, last; // group
    wire                room, q_ready, k_ready;
    wire                go   = q_ready && k_ready && (!first || room);
    wire                fire = s_valid && go;
    genvar i;
    generate
        for (i = 0; i < INNER; i = i + 1) begin : g_channel
            assign all_q[i*W +: W]   = s_data[i*XW +: W];
            assign all_k[i*W +: W]   = s_data[(INNER+i)*XW +: W];
            assign all_v[i*VW +: VW] = s_data[(2*INNER+i)*XW +: VW];
        end
        if (GROUPS == 1) begin : g_one
            assign first = 1'b1;
            assign last  = 1'b1;
            assign q     = all_q;
            assign k     = all_k;
            assign page  = s_tag[LW-1:0];
        end else begin : g_groups
            localparam [31:0] LAST = GROUPS - 1;
            reg [GW-1:0] group;
            assign first = group == {GW{1'b0}};
            assign last  = group == LAST[GW-1:0];
            assign page  = {s_tag[LW-1:0], group};
            always @(posedge clk)
                if (rst)
                    group <= {GW{1'b0}};
                else if (fire)
                    group <= last ? {GW{1'b0}} : group + 1'b1;
            ts_pick #(.N(GROUPS), .WIDTH(D*W)) q_pick (.x(all_q), .sel(group), .y(q));
            ts_pick #(.N(GROUPS), .WIDTH(D*W)) k_pick (.x(all_k), .sel(group), .y(k));
        end
    endgenerate
    assign s_ready = go && last;
    wire unused_high = &{1'b0, s_data};

    // ---- The norms, in step with each other, and v beside them.
    localparam CW = $clog2(PLACES + 1);
    wire                q_valid, k_valid, take, load, v_valid;
    wire [FAULTS/2:0]   q_fault, k_fault;
    wire [TAGW-1:0]     v_tag;
    wire [D*QW-1:0]     q_normed;
    wire [D*KW-1:0]     k_normed;
    wire [PW-1:0]       q_page, k_page;
    wire [INNER*VW-1:0] v;
    wire [CW-1:0]       v_count;
    ts_norm #(.MEAN(MEAN), .D(D), .NP(NP), .W(W), .YW(QW), .TSHIFT(TSHIFT), .YSHIFT(QYSHIFT), .BIASW(QBIASW), .EPSW(EPSW), .PAGES(PAGES << GW),
              .LW(PW), .TAGW(PW), .REG(REG), .DIGITS(DIGITS), .PSTYLE(PSTYLE), .INIT_G(INIT_QG), .INIT_E(INIT_QE), .CFG_G(CFG_QG),
              .CFG_E(CFG_QE), .PARITY(PARITY)) q_norm (
        .clk(clk), .rst(rst), .cfg_we(cfg_we), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), .cfg_addr(cfg_addr), .cfg_data(cfg_data),
        .s_valid(fire), .s_ready(q_ready), .s_data(q), .s_tag(page),
        .m_valid(q_valid), .m_ready(take), .m_data(q_normed), .m_tag(q_page), .fault(q_fault));
    ts_norm #(.MEAN(MEAN), .D(D), .NP(NP), .W(W), .YW(KW), .TSHIFT(TSHIFT), .YSHIFT(KYSHIFT), .BIASW(KBIASW), .EPSW(EPSW), .PAGES(PAGES << GW),
              .LW(PW), .TAGW(PW), .REG(REG), .DIGITS(DIGITS), .PSTYLE(PSTYLE), .INIT_G(INIT_KG), .INIT_E(INIT_KE), .CFG_G(CFG_KG),
              .CFG_E(CFG_KE), .PARITY(PARITY)) k_norm (
        .clk(clk), .rst(rst), .cfg_we(cfg_we), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), .cfg_addr(cfg_addr), .cfg_data(cfg_data),
        .s_valid(fire), .s_ready(k_ready), .s_data(k), .s_tag(page),
        .m_valid(k_valid), .m_ready(take), .m_data(k_normed), .m_tag(k_page), .fault(k_fault));
    ts_fifo_lut #(.WIDTH(INNER*VW + TAGW), .DEPTH(PLACES)) beside (
        .clk(clk), .rst(rst), .s_valid(fire && first), .s_ready(room), .s_data({s_tag, all_v}),
        .m_valid(v_valid), .m_ready(load), .m_data({v_tag, v}), .count(v_count));
    ts_watch #(.N(3)) watch (.clk(clk), .rst(rst), .bad({q_fault[0], k_fault[0], load && !v_valid}), .fault(fault[0]));
    generate
        if (PARITY != 0) begin : g_flipped
            assign fault[FAULTS-1:1] = {k_fault[FAULTS/2:1], q_fault[FAULTS/2:1]};
        end
    endgenerate
    wire unused_pages = &{1'b0, q_page, k_page, v_count};

    // ---- Groups come together, those before the last one in registers, and leave as a token, which is offered while the next one's come.
    localparam OW = INNER * (QW + KW + VW) + TAGW;
    wire [INNER*QW-1:0] whole_q;
    wire [INNER*KW-1:0] whole_k;
    wire                complete; // the next group is a token's last
    reg                 full;
    reg  [OW-1:0]       token;
    assign take = q_valid && k_valid && (!complete || !full || m_ready);
    assign load = take && complete;
    always @(posedge clk)
        full <= !rst && (load || (full && !m_ready));
    always @(posedge clk)
        if (load)
            token <= {v_tag, v, whole_k, whole_q};
    assign m_valid = full;
    assign m_tag   = token[OW-1 -: TAGW];
    generate
        if (GROUPS == 1) begin : g_alone
            assign complete = 1'b1;
            assign whole_q  = q_normed;
            assign whole_k  = k_normed;
        end else begin : g_together
            localparam [31:0] LAST = GROUPS - 1;
            reg [GW-1:0]                have;
            reg [(GROUPS-1)*D*QW-1:0]   prior_q;
            reg [(GROUPS-1)*D*KW-1:0]   prior_k;
            assign complete = have == LAST[GW-1:0];
            assign whole_q  = {q_normed, prior_q};
            assign whole_k  = {k_normed, prior_k};
            always @(posedge clk)
                if (rst)
                    have <= {GW{1'b0}};
                else if (take)
                    have <= complete ? {GW{1'b0}} : have + 1'b1;
            always @(posedge clk)
                if (take && !complete) begin
                    prior_q <= whole_q[INNER*QW-1:D*QW];
                    prior_k <= whole_k[INNER*KW-1:D*KW];
                end
        end
        for (i = 0; i < INNER; i = i + 1) begin : g_result
            wire [QW-1:0] out_q = token[i*QW +: QW];
            wire [KW-1:0] out_k = token[INNER*QW + i*KW +: KW];
            wire [VW-1:0] out_v = token[INNER*(QW+KW) + i*VW +: VW];
            wire [YW:0]   wide_q = {{(YW+1-QW){out_q[QW-1]}}, out_q};
            wire [YW:0]   wide_k = {{(YW+1-KW){out_k[KW-1]}}, out_k};
            wire [YW:0]   wide_v = {{(YW+1-VW){out_v[VW-1]}}, out_v};
            assign m_data[i*YW +: YW]           = wide_q[YW-1:0];
            assign m_data[(INNER+i)*YW +: YW]   = wide_k[YW-1:0];
            assign m_data[(2*INNER+i)*YW +: YW] = wide_v[YW-1:0];
            wire unused_sign = &{1'b0, wide_q[YW], wide_k[YW], wide_v[YW]};
        end
    endgenerate
endmodule

`default_nettype wire
