// Attention over the true number of keys, for all layers of a ring. Tokens q|k|v of an event arrive in a layer's order; their
// contexts leave in the same order, arithmetic as ts_attend() of src/num/fixed.h. (docs/hardware.md has the picture.)
//
//   tokens -> ts_attn_kv (two banks) --------------------------K words--.           .--V words--.
//          `-> ts_attn_query (queue, blocks of PQ) -> ts_attn_sched      v           v           |
//                                    query words -> ts_attn_score -> scores -> ts_attn_weight -> ts_attn_context -> ts_attn_final
//                                                   `-> ts_attn_max ----------^ `-> ts_attn_sum ------------------^
//
// A work item is a block of PQ queries and a group of PH heads. Pass one makes its scores, PQ x PKEY x PH a step (PD channels of
// each), and their maxima; pass two, an item behind, makes weights from scores and maxima, their sums and the weighted sums of the
// values; ts_attn_final divides, NF channels a cycle. Each pass takes one step a cycle, never pauses within an item, and runs
// items back to back; what can wait is the start of an item (ts_attn_sched). Two event-layers can be in the engine: one being
// read, one being written.
//
// Cycles of an event-layer of n tokens that has the engine for itself and is never kept waiting, exact where C >= P (the bench
// checks it); shorter items follow each other in pairs, so that the last block may be up to (C + P)/2 cycles early:
//   HG = ceil(H/PH), DC = ceil(DH/PD), row = PH*ceil(DH/NF), C = ceil(n/PKEY)*DC: a pass of an item,
//   lg(x) = ceil(ceil(log2 x)/REG), R = 1 + ceil(16/REG): ts_recip,
//   P = 9 + FAN + lg(PD) + (DC > 1) + max(0, lg(PKEY) - 1): how far pass two's start is behind pass one's end, and back.
//   item      I = max(C, PQ*row + DC - 1): the passes, or ts_attn_final (fewer than PQ queries in a block take less)
//   block     B = max(HG*I, HG*(C + P)/2, PQ + 1, T/M): the items; the two halves of the score memory; loading the queries; room
//             in the output for M = floor(max(32, 4*PQ)/PQ) blocks, T = (HG-1)*I + C + 22 + lg(PKEY) + R + PQ*row cycles each
//   from the last token accepted to the first context offered
//             max(HG*DC + 2, 4) + min(n, PQ) + 2*C + (HG - 1)*I + P + 19 + lg(PKEY) + R + row
//             (P > C and HG > 2: floor((HG-1)/2)*max(2*I, C + P) + ((HG-1) mod 2)*I in place of (HG-1)*I, here and in T)
//   from one block's first context to the next one's: B; between the contexts of a block: row
//   A token is accepted every HG*DC cycles while its bank is free and the queue has room.
// QBEATS > 1: a token stays offered for QBEATS cycles; PQ*(QBEATS + 1) + 1 in place of PQ + 1, and max(HG*DC + 2, QBEATS + 4) + 1 +
// (min(n, PQ) - 1)*(QBEATS + 1) in place of max(HG*DC + 2, 4) + min(n, PQ).
//
// PACK_S, two products a DSP in the scores: 1: pairs of key lanes, 2: pairs of queries (ts_attn_scores). PACK_C = 1, in the context:
// channel lanes 2d and 2d+1 share a weight and its multipliers (ts_attn_context2), an odd last one has its own. No cycle changes.
//
// PARITY: configuration words have a parity bit on top; fault[1]: one was used that is not as it was made.
`default_nettype none

module ts_attention #(
    parameter H       = 4,
    parameter DH      = 8,
    parameter PQ      = 2,
    parameter PKEY    = 2,
    parameter PH      = 4,
    parameter PD      = 8,
    parameter NMAX    = 64,
    parameter QW      = 12,
    parameter KW      = 12,
    parameter VW      = 12,
    parameter PW      = 12, // of a weight, unsigned
    parameter CW      = 12, // of a context
    parameter SW      = 12, // of a score
    parameter FW      = 6,  // fraction bits of a score
    parameter SSHIFT  = 8,  // score = round(q.k >> (SSHIFT + score_e))
    parameter C2      = 29, // context: the shift of ts_wmean, less ctx_e
    parameter NF      = 2,  // channels finished in a cycle
    parameter LAYERS  = 1,
    parameter LW      = 1,
    parameter TAGW    = LW + 2,
    parameter PACK_S  = 0,
    parameter PACK_C  = 0,
    parameter REG     = 2,
    parameter QBEATS  = 1,  // pieces in which the queue holds a query (ts_queue_narrow)
    parameter FAN     = 1,  // registers between the memories and the lanes, 1 ... 4: the fan-out to PQ and PKEY lanes
    parameter KVSTYLE = "block",
    parameter SSTYLE  = "block",
    parameter INIT_A  = "", // a word a layer: {cbits[4:0], ctx_e[1:0], score_e[H-1..0][1:0]}
    parameter CFG_A   = 0,
    parameter PARITY  = 0,
    parameter FAULTS  = PARITY != 0 ? 2 : 1, // derived
    parameter INIT_X  = "", // exp2 table
    parameter XW      = QW > KW ? (QW > VW ? QW : VW) : (KW > VW ? KW : VW) // derived: container of the input
) (
    input  wire                 clk,
    input  wire                 rst,
    input  wire                 s_valid,
    output wire                 s_ready,
    input  wire [3*H*DH*XW-1:0] s_data,
    input  wire [TAGW-1:0]      s_tag,
    output wire                 m_valid,
    input  wire                 m_ready,
    output wire [H*DH*CW-1:0]   m_data,
    output wire [TAGW-1:0]      m_tag,
    output reg                  ev_final, // an event's last token of the last layer has been accepted
    input  wire                 cfg_we,
    input  wire [7:0]           cfg_mem,
    input  wire [9:0]           cfg_slice,
    input  wire [15:0]          cfg_addr,
    input  wire [71:0]          cfg_data,
    output wire [FAULTS-1:0]    fault // [0]: ts_watch, of all parts
);
    localparam HG     = (H + PH - 1) / PH;
    localparam DC     = (DH + PD - 1) / PD;
    localparam GROUPS = (NMAX + PKEY - 1) / PKEY;
    localparam BANK   = GROUPS * HG * DC;
    localparam NW     = $clog2(NMAX + 1);
    localparam KAW    = $clog2(2 * BANK);
    localparam SPW    = $clog2(BANK + 1);
    localparam SAW    = $clog2(2 * GROUPS);
    localparam WW     = HG*DC > 1 ? $clog2(HG * DC) : 1;
    localparam GW     = HG > 1 ? $clog2(HG) : 1;
    localparam QCW    = $clog2(PQ + 1);
    localparam EW     = SPW + LW + 1;
    localparam QSTEPS = PH * ((DH + NF - 1) / NF); // steps of ts_attn_final for a query
    localparam HOW    = $clog2(PQ * QSTEPS + DC);
    localparam PLACES = 4*PQ > 32 ? 4*PQ : 32;
    localparam SUMW   = $clog2(NMAX * ((1 << PW) - 1) + 1);
    localparam ACCW   = SUMW + VW;
    localparam AAW    = LAYERS > 1 ? $clog2(LAYERS) : 1;

    // Cycles from a step (address in front of the memory) on: pass one ...
    localparam LG_PD    = ($clog2(PD) + REG - 1) / REG;
    localparam LG_PKEY  = ($clog2(PKEY) + REG - 1) / REG;
    localparam LANES    = 2 + FAN;               // the lanes have q and k
    localparam DOT      = LANES + 3 + LG_PD;     // dot products
    localparam TOTAL    = DOT + (DC > 1 ? 1 : 0); // sums over the chunks
    localparam SCORE    = TOTAL + 3;             // scores
    localparam TOP      = SCORE + LG_PKEY;       // maxima over the lanes
    // The item's last maximum may be a little late: pass two needs it three cycles after `scored`.
    localparam SCORED   = SCORE - 1 + (LG_PKEY > 1 ? LG_PKEY - 1 : 0);
    // ... and pass two.
    localparam WEIGHT   = 2 + 4;                 // weights, values
    localparam VREAD    = WEIGHT - 2 - FAN;      // address of the value word
    localparam SUM      = WEIGHT + LG_PKEY;      // sums over the lanes
    localparam CONTEXT  = WEIGHT + 3 + LG_PKEY;  // weighted sums over the lanes

    // Tokens.
    wire                 kv_ready, queue_ready, kv_fault, query_fault, sched_fault, final_fault;
    wire                 take = s_valid && s_ready;
    wire [LW-1:0]        s_layer = s_tag[LW-1:0];
    wire                 s_last  = s_tag[LW];
    wire                 s_drop  = s_tag[LW+1];
    wire [H*DH*QW-1:0]   s_q;
    wire [H*DH*KW-1:0]   s_k;
    wire [H*DH*VW-1:0]   s_v;
    localparam [31:0]    LAST_LAYER = LAYERS - 1;

    assign s_ready = kv_ready && queue_ready;
    always @(posedge clk)
        ev_final <= take && s_last && !s_drop && s_layer == LAST_LAYER[LW-1:0] && !rst;

    genvar i, j, h, d;
    generate
        if (FAN < 1 || FAN > 4) begin : g_guard
            ts_attention_needs_FAN_of_1_to_4 guard ();
        end
        for (i = 0; i < H*DH; i = i + 1) begin : g_part
            assign s_q[i*QW +: QW] = s_data[i*XW +: QW];
            assign s_k[i*KW +: KW] = s_data[(H*DH + i)*XW +: KW];
            assign s_v[i*VW +: VW] = s_data[(2*H*DH + i)*XW +: VW];
        end
    endgenerate
    wire unused_data = &{1'b0, s_data}; // containers are as wide as the widest of q, k and v

    wire                     e_valid, e_ready, e_bank, bank_release, bank_number;
    wire [NW-1:0]            e_n;
    wire [SPW-1:0]           e_span;
    wire [LW-1:0]            e_layer;
    wire [KAW-1:0]           kaddr, vaddr;
    wire [PKEY*PH*PD*KW-1:0] kword;
    wire [PKEY*PH*PD*VW-1:0] vword;
    ts_attn_kv #(.H(H), .DH(DH), .PKEY(PKEY), .PH(PH), .PD(PD), .NMAX(NMAX), .KW(KW), .VW(VW), .VPACK(PACK_C), .LW(LW),
                 .STYLE(KVSTYLE)) kv (
        .clk(clk), .rst(rst), .ready(kv_ready), .take(take), .drop(s_drop), .last(s_last), .layer(s_layer), .k(s_k), .v(s_v),
        .e_valid(e_valid), .e_ready(e_ready), .e_n(e_n), .e_span(e_span), .e_layer(e_layer), .e_bank(e_bank),
        .release_it(bank_release), .release_bank(bank_number), .kaddr(kaddr), .kword(kword), .vaddr(vaddr), .vword(vword),
        .fault(kv_fault));

    wire                     b_valid, b_take, b_last, b_bank;
    wire [NW-1:0]            b_n;
    wire [SPW-1:0]           b_span;
    wire [LW-1:0]            b_layer;
    wire [QCW-1:0]           b_count;
    wire [HOW-1:0]           b_hold;
    wire [WW-1:0]            one_word, word;
    wire [PQ*PH*PD*QW-1:0]   q_word, q_lanes;
    ts_attn_query #(.H(H), .DH(DH), .PQ(PQ), .PH(PH), .PD(PD), .NMAX(NMAX), .QW(QW), .LW(LW), .EW(EW),
                    .ZEROS(PACK_S == 2 ? 1 : 0), .ROW(QSTEPS), .BEATS(QBEATS), .STYLE(KVSTYLE)) query (
        .clk(clk), .rst(rst),
        .s_valid(s_valid && kv_ready), .s_ready(queue_ready), .s_data(s_q), .s_last(s_last), .s_drop(s_drop),
        .e_valid(e_valid), .e_ready(e_ready), .e_n(e_n), .e_info({e_span, e_layer, e_bank}), .b_valid(b_valid), .b_take(b_take),
        .b_n(b_n), .b_info({b_span, b_layer, b_bank}), .b_count(b_count), .b_hold(b_hold), .b_last(b_last),
        .word(word), .q(q_word), .fault(query_fault));

    wire            one_run, one_first_key, one_first_chunk, one_last_chunk, one_last, one_half, scored, scored_half;
    wire [PKEY-1:0] one_none, two_none;
    wire [SAW-1:0]  one_saddr, two_saddr;
    wire [GW-1:0]   one_group, two_group;
    wire [LW-1:0]   one_layer, two_layer;
    wire            two_begin, two_run, two_first_key, two_last_key, two_last_chunk, two_last, two_half, two_block_last;
    wire            two_bank, two_bank_done;
    wire [KAW-1:0]  two_vaddr;
    wire [QCW-1:0]  two_count;
    ts_attn_sched #(.PQ(PQ), .PKEY(PKEY), .HG(HG), .DC(DC), .HOW(HOW), .PLACES(PLACES), .BANK(BANK), .SCORES(GROUPS),
                    .NW(NW), .SPW(SPW), .LW(LW), .WW(WW), .KAW(KAW), .SAW(SAW)) sched (
        .clk(clk), .rst(rst), .b_valid(b_valid), .b_take(b_take), .b_n(b_n), .b_span(b_span), .b_layer(b_layer),
        .b_bank(b_bank), .b_count(b_count), .b_hold(b_hold), .b_last(b_last), .one_run(one_run), .one_first_key(one_first_key),
        .one_first_chunk(one_first_chunk), .one_last_chunk(one_last_chunk), .one_last(one_last), .one_none(one_none),
        .one_kaddr(kaddr), .one_saddr(one_saddr), .one_word(one_word), .one_group(one_group), .one_layer(one_layer),
        .one_half(one_half), .scored(scored), .scored_half(scored_half), .two_begin(two_begin), .two_run(two_run),
        .two_first_key(two_first_key), .two_last_key(two_last_key), .two_last_chunk(two_last_chunk), .two_last(two_last),
        .two_none(two_none), .two_vaddr(two_vaddr), .two_saddr(two_saddr), .two_half(two_half), .two_group(two_group),
        .two_layer(two_layer), .two_count(two_count), .two_block_last(two_block_last), .two_bank(two_bank),
        .two_bank_done(two_bank_done), .taken(m_valid && m_ready), .fault(sched_fault));

    // Pass one: operands and what must travel along.
    wire [PKEY*PH*PD*KW-1:0] k_lanes;
    wire [PKEY-1:0]          score_none;
    wire                     score_first, score_we, top_valid, top_first, top_half;
    wire [SAW-1:0]           score_waddr;
    wire [GW-1:0]            constants_group;
    wire [2*H+6:0]           constants;
    wire [2*PH-1:0]          group_e, score_e;
    ts_delay #(.WIDTH(WW), .CYCLES(1)) word_line (.clk(clk), .in(one_word), .out(word));
    ts_delay #(.WIDTH(1), .CYCLES(DOT)) first_line (.clk(clk), .in(one_first_chunk), .out(score_first));
    ts_delay #(.WIDTH(PKEY), .CYCLES(TOTAL + 2)) none_line (.clk(clk), .in(one_none), .out(score_none));
    ts_pulse #(.CYCLES(SCORE)) we_line (
        .clk(clk), .rst(rst), .in(one_run && one_last_chunk), .out(score_we));
    ts_delay #(.WIDTH(SAW), .CYCLES(SCORE)) waddr_line (.clk(clk), .in(one_saddr), .out(score_waddr));
    ts_pulse #(.CYCLES(LG_PKEY)) top_line (.clk(clk), .rst(rst), .in(score_we), .out(top_valid));
    ts_delay #(.WIDTH(2), .CYCLES(TOP)) half_line (
        .clk(clk), .in({one_first_key, one_half}), .out({top_first, top_half}));
    ts_pulse #(.CYCLES(SCORED)) scored_line (.clk(clk), .rst(rst), .in(one_last), .out(scored));
    ts_delay #(.WIDTH(1), .CYCLES(SCORED)) scored_half_line (.clk(clk), .in(one_half), .out(scored_half));

    // score_e of the item's layer and heads. (ts_attn_final keeps a copy of its own, for an item that may be of another layer.)
    wire one_used, one_flipped, final_flipped;
    ts_pulse #(.CYCLES(PARITY != 0 ? 2 : 0)) one_used_line (.clk(clk), .rst(rst), .in(one_run), .out(one_used));
    ts_mem_checked #(.WIDTH(2*H + 7), .DEPTH(LAYERS), .STYLE("distributed"), .INIT(INIT_A), .CFG_ID(CFG_A), .PARITY(PARITY)) layer_constants (
        .clk(clk), .rst(rst), .raddr(one_layer[AAW-1:0]), .used(one_used), .rdata(constants), .flipped(one_flipped),
        .cfg_we(cfg_we), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), .cfg_addr(cfg_addr), .cfg_data(cfg_data));
    wire [2*PH*HG-1:0] all_e = {{2*(PH*HG-H){1'b0}}, constants[2*H-1:0]};
    ts_delay #(.WIDTH(GW), .CYCLES(2)) group_line (.clk(clk), .in(one_group), .out(constants_group));
    ts_pick #(.N(HG), .WIDTH(2*PH)) e_pick (.x(all_e), .sel(constants_group), .y(group_e));
    ts_delay #(.WIDTH(2*PH), .CYCLES(TOTAL - 2)) e_line (.clk(clk), .in(group_e), .out(score_e));

    // Queries and keys on their way to the lanes.
    localparam QUERY = PH * PD * QW; // of a query, of a key lane
    localparam KEY   = PH * PD * KW;
    wire [PQ*QUERY-1:0] q_ready;
    generate
        for (i = 0; i < PQ; i = i + 1) begin : g_query_word
            if (PACK_S == 2 && i % 2 == 1) begin : g_second
                ts_pack #(.N(PH*PD), .W(QW)) pack (
                    .b0(q_word[(i-1)*QUERY +: QUERY]), .b1(q_word[i*QUERY +: QUERY]), .b1_less(q_ready[i*QUERY +: QUERY]));
            end else begin : g_first
                assign q_ready[i*QUERY +: QUERY] = q_word[i*QUERY +: QUERY];
            end
        end
        if (PACK_S == 1 && PKEY > 1) begin : g_key_pairs
            wire [PKEY-1:0]     key_none;
            wire [PKEY*KEY-1:0] packed_keys;
            reg  [PKEY*KEY-1:0] keys;
            ts_delay #(.WIDTH(PKEY), .CYCLES(2)) key_none_line (.clk(clk), .in(one_none), .out(key_none));
            for (j = 0; j < PKEY; j = j + 1) begin : g_key
                if (j % 2 == 1) begin : g_second
                    ts_pack #(.N(PH*PD), .W(KW)) pack (
                        .b0(kword[(j-1)*KEY +: KEY]), .b1(kword[j*KEY +: KEY]), .b1_less(packed_keys[j*KEY +: KEY]));
                end else begin : g_first
                    assign packed_keys[j*KEY +: KEY] = kword[j*KEY +: KEY];
                end
                // What a lane without a key holds does not matter, but that it is known does (as ts_attn_query's ZEROS).
                always @(posedge clk)
                    if (j % 2 == 1 && key_none[j])
                        keys[j*KEY +: KEY] <= {KEY{1'b0}};
                    else
                        keys[j*KEY +: KEY] <= packed_keys[j*KEY +: KEY];
            end
            ts_delay #(.WIDTH(PKEY*KEY), .CYCLES(FAN - 1)) k_fan (.clk(clk), .in(keys), .out(k_lanes));
            wire unused = &{1'b0, key_none};
        end else begin : g_keys
            ts_delay #(.WIDTH(PKEY*KEY), .CYCLES(FAN)) k_fan (.clk(clk), .in(kword), .out(k_lanes));
        end
    endgenerate
    ts_delay #(.WIDTH(PQ*QUERY), .CYCLES(FAN)) q_fan (.clk(clk), .in(q_ready), .out(q_lanes));

    // Pass two.
    wire [PKEY-1:0]                value_none;
    reg  [PKEY*PH*PD*VW-1:0]       values; // zeros where there is no key: never junk times a weight of zero
    wire [PKEY*PH*PD*VW-1:0]       v_lanes;
    wire                           max_load, max_half, sum_add, sum_first, sum_last, context_add, context_first, context_last;
    wire                           go, go_last;
    wire [GW-1:0]                  go_group;
    wire [LW-1:0]                  go_layer;
    wire [QCW-1:0]                 go_count;
    ts_pulse #(.CYCLES(1)) load_line (.clk(clk), .rst(rst), .in(two_begin), .out(max_load));
    ts_delay #(.WIDTH(1), .CYCLES(1)) load_half_line (.clk(clk), .in(two_half), .out(max_half));
    ts_delay #(.WIDTH(KAW), .CYCLES(VREAD)) vaddr_line (.clk(clk), .in(two_vaddr), .out(vaddr));
    ts_pulse #(.CYCLES(VREAD)) release_line (
        .clk(clk), .rst(rst), .in(two_last && two_bank_done), .out(bank_release));
    ts_delay #(.WIDTH(1), .CYCLES(VREAD)) bank_line (.clk(clk), .in(two_bank), .out(bank_number));
    ts_delay #(.WIDTH(PKEY), .CYCLES(VREAD + 2)) value_line (.clk(clk), .in(two_none), .out(value_none));
    ts_delay #(.WIDTH(PKEY*PH*PD*VW), .CYCLES(FAN - 1)) v_fan (.clk(clk), .in(values), .out(v_lanes));
    ts_pulse #(.CYCLES(SUM)) sum_line (
        .clk(clk), .rst(rst), .in(two_run && two_last_chunk), .out(sum_add));
    ts_delay #(.WIDTH(2), .CYCLES(SUM)) sum_key_line (
        .clk(clk), .in({two_first_key, two_last_key}), .out({sum_first, sum_last}));
    ts_pulse #(.CYCLES(CONTEXT)) context_line (.clk(clk), .rst(rst), .in(two_run), .out(context_add));
    ts_delay #(.WIDTH(2), .CYCLES(CONTEXT - SUM)) context_key_line (
        .clk(clk), .in({sum_first, sum_last}), .out({context_first, context_last}));
    ts_pulse #(.CYCLES(SUM)) go_line (.clk(clk), .rst(rst), .in(two_last), .out(go));
    ts_delay #(.WIDTH(LW+GW+QCW+1), .CYCLES(SUM)) go_item_line (
        .clk(clk), .in({two_layer, two_group, two_count, two_block_last}),
        .out({go_layer, go_group, go_count, go_last}));

    wire [PQ*PKEY*PH*SW-1:0]    scores, scores_read;
    wire [PQ*PH*SUMW-1:0]       sums;
    wire [PQ*PH*DH*ACCW-1:0]    accs;
    ts_mem #(.WIDTH(PQ*PKEY*PH*SW), .DEPTH(2*GROUPS), .STYLE(SSTYLE)) score_mem (
        .clk(clk), .we(score_we), .waddr(score_waddr), .wdata(scores), .raddr(two_saddr), .rdata(scores_read),
        .cfg_we(1'b0), .cfg_mem(8'd0), .cfg_slice(10'd0), .cfg_addr(16'd0), .cfg_data(72'd0));

    ts_attn_scores #(.PQ(PQ), .PKEY(PKEY), .PH(PH), .PD(PD), .DC(DC), .QW(QW), .KW(KW), .SHIFT(SSHIFT), .SW(SW), .PACK(PACK_S),
                     .REG(REG)) score_lanes (
        .clk(clk), .q(q_lanes), .k(k_lanes), .first_chunk(score_first), .e(score_e), .none(score_none), .scores(scores));

    // The lanes of pass two. Orders: scores [query][head][key], words of V [key][head][channel].
    localparam CHANNEL_PAIRS = PACK_C != 0 ? PD / 2 : 0;
    generate
        for (j = 0; j < PKEY; j = j + 1) begin : g_value
            always @(posedge clk)
                if (value_none[j])
                    values[j*PH*PD*VW +: PH*PD*VW] <= {PH*PD*VW{1'b0}};
                else
                    values[j*PH*PD*VW +: PH*PD*VW] <= vword[j*PH*PD*VW +: PH*PD*VW];
        end
        for (i = 0; i < PQ; i = i + 1) begin : g_query
            for (h = 0; h < PH; h = h + 1) begin : g_head
                localparam ROW = i*PH + h;
                wire [SW-1:0]      max;
                wire [PKEY*PW-1:0] p;

                for (j = 0; j < PKEY; j = j + 1) begin : g_key
                    ts_attn_weight #(.SW(SW), .FW(FW), .PW(PW), .INIT(INIT_X)) weight (
                        .clk(clk), .score(scores_read[(ROW*PKEY + j)*SW +: SW]), .max(max), .p(p[j*PW +: PW]));
                end
                ts_attn_max #(.PKEY(PKEY), .SW(SW), .REG(REG)) maximum (
                    .clk(clk), .score(scores[ROW*PKEY*SW +: PKEY*SW]), .valid(top_valid), .first(top_first), .half(top_half),
                    .load(max_load), .load_half(max_half), .max(max));
                ts_attn_sum #(.PKEY(PKEY), .PW(PW), .SUMW(SUMW), .REG(REG)) weights_sum (
                    .clk(clk), .p(p), .add(sum_add), .first(sum_first), .last(sum_last), .held(sums[ROW*SUMW +: SUMW]));
                wire [PD*PKEY*VW-1:0] v;    // [channel][key]
                wire [PD*DC*ACCW-1:0] held; // [channel][chunk]
                for (d = 0; d < PD; d = d + 1) begin : g_channel
                    for (j = 0; j < PKEY; j = j + 1) begin : g_operand
                        assign v[(d*PKEY + j)*VW +: VW] = v_lanes[((j*PH + h)*PD + d)*VW +: VW];
                    end
                    for (j = 0; j < DC; j = j + 1) begin : g_chunk
                        if (j*PD + d < DH) begin : g_used
                            assign accs[(ROW*DH + j*PD + d)*ACCW +: ACCW] = held[(d*DC + j)*ACCW +: ACCW];
                        end else begin : g_padding
                            wire unused = &{1'b0, held[(d*DC + j)*ACCW +: ACCW]};
                        end
                    end
                end
                for (d = 0; d < CHANNEL_PAIRS; d = d + 1) begin : g_context_pair
                    ts_attn_context2 #(.PKEY(PKEY), .DC(DC), .PW(PW), .VW(VW), .ACCW(ACCW), .REG(REG)) contexts (
                        .clk(clk), .p(p), .v0(v[2*d*PKEY*VW +: PKEY*VW]), .v1_less(v[(2*d+1)*PKEY*VW +: PKEY*VW]),
                        .add(context_add), .first(context_first), .last(context_last),
                        .held0(held[2*d*DC*ACCW +: DC*ACCW]), .held1(held[(2*d+1)*DC*ACCW +: DC*ACCW]));
                end
                for (d = 2*CHANNEL_PAIRS; d < PD; d = d + 1) begin : g_context
                    ts_attn_context #(.PKEY(PKEY), .DC(DC), .PW(PW), .VW(VW), .ACCW(ACCW), .REG(REG)) context_lane (
                        .clk(clk), .p(p), .v(v[d*PKEY*VW +: PKEY*VW]), .add(context_add), .first(context_first),
                        .last(context_last), .held(held[d*DC*ACCW +: DC*ACCW]));
                end
            end
        end
    endgenerate

    wire [LW-1:0] m_layer;
    wire          m_last;
    ts_attn_final #(.H(H), .DH(DH), .PQ(PQ), .PH(PH), .NF(NF), .PW(PW), .VW(VW), .SUMW(SUMW), .ACCW(ACCW), .CW(CW), .C2(C2),
                    .LAYERS(LAYERS), .LW(LW), .REG(REG), .PLACES(PLACES), .INIT_A(INIT_A), .CFG_A(CFG_A), .PARITY(PARITY)) finish (
        .clk(clk), .rst(rst), .go(go), .go_layer(go_layer), .go_group(go_group), .go_count(go_count), .go_last(go_last),
        .sums(sums), .accs(accs), .m_valid(m_valid), .m_ready(m_ready), .m_data(m_data), .m_layer(m_layer), .m_last(m_last), .fault(final_fault),
        .flipped(final_flipped),
        .cfg_we(cfg_we), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), .cfg_addr(cfg_addr), .cfg_data(cfg_data));
    assign m_tag = {1'b0, m_last, m_layer};
    ts_watch #(.N(4)) watch (.clk(clk), .rst(rst), .bad({kv_fault, query_fault, sched_fault, final_fault}), .fault(fault[0]));
    generate
        if (PARITY != 0) begin : g_flipped
            reg either;
            always @(posedge clk)
                either <= !rst && (one_flipped || final_flipped);
            assign fault[FAULTS-1] = either;
        end else begin : g_unchecked
            wire unused_flipped = &{1'b0, one_flipped, final_flipped};
        end
    endgenerate
    wire unused = &{1'b0, constants[2*H+6:2*H], one_layer};
endmodule

`default_nettype wire
