// Linear stage K -> M: y = requant(bias + W x), optionally through a table. PK inputs and PM outputs a cycle; NR requantisers.
//
// A token takes STEPS = MO * KO cycles, MO = ceil(M / PM), KO = ceil(K / PK), in which it stays offered; it is taken with the last one,
// and the next one begins in the cycle after while the output is taken. From the first of these cycles to the first cycle of its
// m_valid, with T = ceil(ceil(log2 PK) / REG), R = PM / NR:
//     BEATS = 0: STEPS + LAG      LAG = 13 + T + (R > 1 ? R : 0) + 2 * TABLE + (MO * R > 1 ? 1 : 0)
//     BEATS = 1: first beat KO + LAG - (R - 1), last beat STEPS + LAG, without the last term of LAG (m_ready held up)
//
// Order of steps: groups mo = 0 ... MO-1 of PM outputs, in each ko = 0 ... KO-1. Page memories, `page` = the layer in s_tag:
//     weights: word (page * MO + mo) * KO + ko: W[mo*PM+i][ko*PK+j] at [(i*PK+j)*WW +: WW], zeros beyond M and K; with PACK, the
//              odd i are packed (ts_pack): less one where the weight of i - 1 at the same j is negative
//     biases:  word page * MO + mo: PM values of ACCW bits
//     requant: word (page * MO + mo) * R + r: NR entries {bits[4:0] if VARBITS, e[EW-1:0], m[17:0]} of outputs mo*PM + r*NR + i
//     table:   word = requantised value as an unsigned IDXW-bit number; one memory a lane, same image, for all pages
// BEATS = 0 delivers the vector of M values; BEATS = 1 delivers beats of NR: beat j, lane i is output j * NR + i (beyond M: junk).
//
// PAGED = 1: the weight memory holds BUFFERS pages, which come over w_ (ts_page_mem, LANES slices of 72 bits a write) while the stage
// runs: word s_page * STEPS + mo * KO + ko, whatever the layer; s_page stays with s_tag. It has no image and is not on the
// configuration bus. A page may be overwritten once the last token that reads it has left, and is there for tokens that are offered
// a cycle after its last write. All else is as with PAGED = 0, which looks at neither w_ nor s_page.
//
// PACK = 1: outputs 2i and 2i+1 of a group share their inputs and their PK multipliers (ts_dot2); of an odd PM the last one has its own.
//
// PARITY: words of biases, multipliers and tables have a parity bit on top; PARITY_W: those of the weights, paged or not. Bit i + 1 of fault
// then says that a word was used that is not as it was made: of i = 0 the weights, 1 biases, 2 multipliers, 3 a table.
//
// Nothing stalls inside. A token (BEATS = 1: a group) is issued only when there is room at the output for its result: credits, which
// ts_watch checks (fault[0]): of results, of tags that come and tags that leave.
`default_nettype none

module ts_linear #(
    parameter K       = 8,
    parameter M       = 8,
    parameter PK      = 2,
    parameter PM      = 2,
    parameter NR      = 1,
    parameter XW      = 12,
    parameter XSIGNED = 1,
    parameter WW      = 12,
    parameter ACCW    = 32,
    parameter S1      = 0,
    parameter S2      = 16,
    parameter EW      = 3,
    parameter YW      = 12,
    parameter YSIGNED = 1, // of the requantised value: with a table, of its index
    parameter VARBITS = 0,
    parameter PAGES   = 1,
    parameter LW      = 1,
    parameter TAGW    = LW + 2,
    parameter TABLE   = 0,
    parameter IDXW    = 12, // width of the table's index
    parameter PACK    = 0,  // two products a DSP
    parameter REG     = 1,
    parameter WSTYLE  = "block",
    parameter PSTYLE  = "distributed",
    parameter TSTYLE  = "block",
    parameter INIT_W  = "",
    parameter INIT_B  = "",
    parameter INIT_Q  = "",
    parameter INIT_T  = "",
    parameter CFG_W   = 0,
    parameter CFG_B   = 1,
    parameter CFG_Q   = 2,
    parameter CFG_T   = 3,
    parameter BEATS   = 0,
    parameter PAGED   = 0,
    parameter BUFFERS = 2, // pages of a paged weight memory, 1 or 2
    parameter LANES   = 1, // of the bus that writes them
    parameter PARITY   = 0,
    parameter PARITY_W = 0,
    parameter FAULTS  = PARITY != 0 || PARITY_W != 0 ? 5 : 1, // derived
    parameter MW_OUT  = (BEATS != 0 ? NR : M) * YW // derived
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                s_valid,
    output wire                s_ready,
    input  wire [K*XW-1:0]     s_data,
    input  wire [TAGW-1:0]     s_tag,
    input  wire                s_page, // the buffer that this token reads
    output wire                m_valid,
    input  wire                m_ready,
    output wire [MW_OUT-1:0]   m_data,
    output wire [TAGW-1:0]     m_tag,
    output wire                m_eot, // last beat of the token
    input  wire                w_we,
    input  wire [7:0]          w_group,
    input  wire [15:0]         w_addr,
    input  wire [LANES*72-1:0] w_data,
    input  wire                cfg_we,
    input  wire [7:0]          cfg_mem,
    input  wire [9:0]          cfg_slice,
    input  wire [15:0]         cfg_addr,
    input  wire [71:0]         cfg_data,
    output wire [FAULTS-1:0]   fault
);
    localparam MO    = (M + PM - 1) / PM;
    localparam KO    = (K + PK - 1) / PK;
    localparam R     = PM / NR;
    localparam STEPS = MO * KO;
    localparam BT    = MO * R; // beats of a token
    localparam TREE  = ($clog2(PK) + REG - 1) / REG;
    localparam DOT   = 2 + 3 + TREE;      // from a step's address to its sum: memory read, multiplier, tree
    localparam HOLD  = R > 1 ? 1 : 0;     // a group's sums are held while they are requantised one beat after the other
    localparam BEAT  = DOT + 1 + HOLD;    // from the address of a group's last step to its first beat at the requantisers
    localparam POST  = 6 + (TABLE != 0 ? 2 : 0);
    localparam RQW   = TABLE != 0 ? IDXW : YW;
    localparam QE    = 18 + EW + (VARBITS != 0 ? 5 : 0);

    // Places at the output: what is in flight at full rate, a token that the next stage works on, and one more.
    localparam LAG        = BEAT + R - 1 + POST + 1;
    localparam IN_FLIGHT  = BEATS != 0 ? (KO + LAG + 1 + KO - 1) / KO + 1 : (STEPS + LAG + 2 + STEPS - 1) / STEPS + 2;
    localparam UNIT       = BEATS != 0 ? R : 1;
    localparam SPARE      = BEATS != 0 && KO == 1 ? UNIT : 0; // a token's first group and its second may be promised at once
    localparam DEPTH      = IN_FLIGHT * UNIT + SPARE;
    localparam CW         = $clog2(DEPTH + 1);
    localparam UW         = $clog2(DEPTH + 2);

    localparam WPAGES = PAGED != 0 ? BUFFERS : PAGES; // of the weight memory
    localparam WLW    = PAGED != 0 ? 1 : LW;

    localparam WAW = WPAGES * STEPS > 1 ? $clog2(WPAGES * STEPS) : 1;
    localparam BAW = PAGES * MO > 1 ? $clog2(PAGES * MO) : 1;
    localparam QAW = PAGES * BT > 1 ? $clog2(PAGES * BT) : 1;
    localparam KCW = KO > 1 ? $clog2(KO) : 1;
    localparam MCW = MO > 1 ? $clog2(MO) : 1;

    generate
        if (PM % NR != 0 || R > KO) begin : g_guard
            ts_linear_needs_NR_that_divides_PM_and_is_at_least_PM_over_KO guard ();
        end
        if (PK > K || PM > M) begin : g_guard_p
            ts_linear_needs_PK_of_at_most_K_and_PM_of_at_most_M guard ();
        end
        if (PAGED != 0 && BUFFERS != 1 && BUFFERS != 2) begin : g_guard_buffers
            ts_linear_needs_1_or_2_BUFFERS guard ();
        end
    endgenerate

    // ---- issue: one step a cycle, straight from the token that is offered
    localparam [31:0] KO_LAST      = KO - 1;
    localparam [31:0] MO_LAST      = MO - 1;
    localparam [31:0] UNITS        = UNIT;
    localparam [31:0] UNITS_LESS_1 = UNIT - 1;
    localparam [31:0] TWICE        = 2 * UNIT;
    localparam [31:0] TWICE_LESS_1 = 2 * UNIT - 1;
    // A result finds room where at most this many places are used: as things are, after a pop, a promise, or both.
    localparam [31:0] ROOM         = DEPTH - SPARE - UNIT;
    localparam [31:0] ROOM_POP     = DEPTH - SPARE - UNIT + 1;
    localparam [31:0] ROOM_PROMISE = DEPTH - SPARE - UNIT - UNIT;
    localparam [31:0] ROOM_BOTH    = DEPTH - SPARE - UNIT - UNIT + 1;
    localparam [31:0] ROOM_TWO     = DEPTH - SPARE - UNIT - TWICE;
    localparam [31:0] ROOM_TWO_POP = DEPTH - SPARE - UNIT - TWICE + 1;

    reg            in_token;  // a token has begun
    reg            paused;  // its next group waits for a credit
    reg            room;    // a credit is there
    reg  [KCW-1:0] ko;
    reg  [MCW-1:0] mo;
    reg  [UW-1:0]  used;    // places at the output that are taken or promised
    wire           begins     = s_valid && room && !in_token;
    wire           step       = begins || (in_token && !paused);
    wire           first_ko   = ko == {KCW{1'b0}};
    wire           last_ko    = ko == KO_LAST[KCW-1:0];
    wire           last_mo    = mo == MO_LAST[MCW-1:0];
    wire           group_end  = step && last_ko;
    wire           next_group = BEATS != 0 && room && ((group_end && !last_mo) || paused);
    wire           pop        = m_valid && m_ready;

    assign s_ready = last_ko && last_mo && (in_token ? !paused : room);

    always @(posedge clk)
        if (rst) begin
            in_token <= 1'b0;
            paused <= 1'b0;
            room   <= 1'b0;
            used   <= {UW{1'b0}};
            ko     <= {KCW{1'b0}};
            mo     <= {MCW{1'b0}};
        end else begin
            in_token <= step ? !(last_ko && last_mo) : in_token;
            paused <= BEATS != 0 && ((group_end && !last_mo) || paused) && !room;
            // The cases side by side: one adder, or one comparison, between registers.
            case ({begins, next_group, pop})
                3'b000:         room <= used <= ROOM[UW-1:0];
                3'b001:         room <= used <= ROOM_POP[UW-1:0];
                3'b010, 3'b100: room <= used <= ROOM_PROMISE[UW-1:0];
                3'b011, 3'b101: room <= used <= ROOM_BOTH[UW-1:0];
                3'b110:         room <= used <= ROOM_TWO[UW-1:0];
                3'b111:         room <= used <= ROOM_TWO_POP[UW-1:0];
            endcase
            case ({begins, next_group, pop})
                3'b000:         used <= used;
                3'b001:         used <= used - 1'b1;
                3'b010, 3'b100: used <= used + UNITS[UW-1:0];
                3'b011, 3'b101: used <= used + UNITS_LESS_1[UW-1:0];
                3'b110:         used <= used + TWICE[UW-1:0];
                3'b111:         used <= used + TWICE_LESS_1[UW-1:0];
            endcase
            if (step)
                ko <= last_ko ? {KCW{1'b0}} : ko + 1'b1;
            if (group_end)
                mo <= last_mo ? {MCW{1'b0}} : mo + 1'b1;
        end

    // ---- the values of a step, a register behind those of the selection, beside its weights
    wire [KO*PK*XW-1:0] x;
    wire [PK*XW-1:0]    x_chosen;
    generate
        if (KO * PK > K) begin : g_pad
            assign x = {{((KO*PK-K)*XW){1'b0}}, s_data};
        end else begin : g_no_pad
            assign x = s_data;
        end
    endgenerate
    ts_select #(.N(KO), .WIDTH(PK * XW)) select (.clk(clk), .x(x), .sel(ko), .y(x_chosen));

    // ---- addresses, the cycle after the step: the token's page, then counting
    reg  [WAW-1:0] waddr;
    reg  [BAW-1:0] baddr;
    reg  [QAW-1:0] qaddr;
    wire [WAW-1:0] waddr_new;
    wire [BAW-1:0] baddr_new;
    wire [QAW-1:0] qaddr_new;
    wire [WLW-1:0] wpage;
    ts_page #(.LW(WLW), .PAGES(WPAGES), .STRIDE(STEPS), .AW(WAW)) page_w (.page(wpage), .base(waddr_new));
    ts_page #(.LW(LW), .PAGES(PAGES), .STRIDE(MO), .AW(BAW)) page_b (.page(s_tag[LW-1:0]), .base(baddr_new));
    ts_page #(.LW(LW), .PAGES(PAGES), .STRIDE(BT), .AW(QAW)) page_q (.page(s_tag[LW-1:0]), .base(qaddr_new));
    localparam [31:0] BEATS_OF_GROUP = R;
    reg               first_1, last_1, group_end_1; // beside the addresses
    always @(posedge clk) begin
        first_1     <= first_ko;
        last_1      <= last_mo;
        group_end_1 <= group_end && !rst;
        if (!in_token) begin
            waddr <= waddr_new;
            baddr <= baddr_new;
            qaddr <= qaddr_new;
        end else if (step) begin
            waddr <= waddr + 1'b1;
            if (first_ko) begin
                baddr <= baddr + 1'b1;
                qaddr <= qaddr + BEATS_OF_GROUP[QAW-1:0];
            end
        end
    end

    // ---- which words a token uses, in the cycles in which they are there
    wire [3:0] flipped;
    wire       w_used, b_used;
    generate
        if (PARITY_W != 0) begin : g_weights_used
            ts_pulse #(.CYCLES(3)) used_line (.clk(clk), .rst(rst), .in(step), .out(w_used));
        end else begin : g_weights_unknown
            assign w_used = 1'b0;
        end
        if (PARITY != 0) begin : g_biases_used
            ts_pulse #(.CYCLES(DOT + 1)) used_line (.clk(clk), .rst(rst), .in(step && first_ko), .out(b_used));
        end else begin : g_biases_unknown
            assign b_used = 1'b0;
        end
        if (FAULTS > 1) begin : g_flipped
            assign fault[FAULTS-1:1] = flipped;
        end else begin : g_unchecked
            wire unused_flipped = &{1'b0, flipped};
        end
    endgenerate

    // ---- weights and products
    wire [PK*XW-1:0]    x_2;
    wire [PM*PK*WW-1:0] w_2;
    ts_delay #(.WIDTH(PK * XW), .CYCLES(1)) delay_x (.clk(clk), .in(x_chosen), .out(x_2));
    generate
        if (PAGED != 0) begin : g_paged
            assign wpage = s_page;
            ts_page_mem #(.WIDTH(PM * PK * WW), .DEPTH(BUFFERS * STEPS), .STYLE(WSTYLE), .LANES(LANES), .PARITY(PARITY_W)) mem_w (
                .clk(clk), .rst(rst), .we(w_we), .group(w_group), .waddr(w_addr), .wdata(w_data), .raddr(waddr), .used(w_used),
                .rdata(w_2), .flipped(flipped[0]));
        end else begin : g_resident
            wire unused_page = &{1'b0, s_page, w_we, w_group, w_addr, w_data};
            assign wpage = s_tag[LW-1:0];
            ts_mem_checked #(.WIDTH(PM * PK * WW), .DEPTH(PAGES * STEPS), .STYLE(WSTYLE), .INIT(INIT_W), .CFG_ID(CFG_W),
                             .PARITY(PARITY_W)) mem_w (
                .clk(clk), .rst(rst), .raddr(waddr), .used(w_used), .rdata(w_2), .flipped(flipped[0]),
                .cfg_we(cfg_we), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), .cfg_addr(cfg_addr), .cfg_data(cfg_data));
        end
    endgenerate

    wire [BAW-1:0]     baddr_read;
    wire [PM*ACCW-1:0] bias;
    ts_delay #(.WIDTH(BAW), .CYCLES(DOT - 2)) delay_b (.clk(clk), .in(baddr), .out(baddr_read));
    ts_mem_checked #(.WIDTH(PM * ACCW), .DEPTH(PAGES * MO), .STYLE(PSTYLE), .INIT(INIT_B), .CFG_ID(CFG_B), .PARITY(PARITY)) mem_b (
        .clk(clk), .rst(rst), .raddr(baddr_read), .used(b_used), .rdata(bias), .flipped(flipped[1]),
        .cfg_we(cfg_we), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), .cfg_addr(cfg_addr), .cfg_data(cfg_data));

    wire               first_sum;
    wire [PM*ACCW-1:0] acc;
    ts_delay #(.WIDTH(1), .CYCLES(DOT)) delay_first (.clk(clk), .in(first_1), .out(first_sum));

    localparam PAIRS = PACK != 0 ? PM / 2 : 0;
    genvar     i;
    generate
        for (i = 0; i < PAIRS; i = i + 1) begin : g_pair
            wire [ACCW-1:0] sum0, sum1;
            wire            carry;
            reg  [ACCW-1:0] total0, total1;
            ts_dot2 #(.N(PK), .AW(XW), .ASIGNED(XSIGNED), .BW(WW), .OW(ACCW), .REG(REG)) dot (
                .clk(clk), .a(x_2), .b0(w_2[2*i*PK*WW +: PK*WW]), .b1_less(w_2[(2*i+1)*PK*WW +: PK*WW]),
                .sum0(sum0), .sum1(sum1), .carry(carry));
            always @(posedge clk) begin
                total0 <= (first_sum ? bias[2*i*ACCW +: ACCW] : total0) + sum0;
                total1 <= (first_sum ? bias[(2*i+1)*ACCW +: ACCW] : total1) + sum1 + {{(ACCW-1){1'b0}}, carry};
            end
            assign acc[2*i*ACCW +: 2*ACCW] = {total1, total0};
        end
        for (i = 2 * PAIRS; i < PM; i = i + 1) begin : g_lane
            wire [ACCW-1:0] sum;
            reg  [ACCW-1:0] total;
            ts_dot #(.N(PK), .AW(XW), .ASIGNED(XSIGNED), .BW(WW), .OW(ACCW), .REG(REG)) dot (
                .clk(clk), .a(x_2), .b(w_2[i*PK*WW +: PK*WW]), .sum(sum));
            always @(posedge clk)
                total <= (first_sum ? bias[i*ACCW +: ACCW] : total) + sum;
            assign acc[i*ACCW +: ACCW] = total;
        end
    endgenerate

    // ---- a group's end, BEAT cycles after its address its first beat
    reg  [BEAT-1:0]    group;
    wire               token_done; // the group was its token's last, beside group[BEAT-1]
    wire [QAW-1:0]     qaddr_start;
    wire               beat, beat_eot;
    wire [NR*ACCW-1:0] beat_acc;
    reg  [QAW-1:0]     qaddr_read;
    always @(posedge clk)
        group <= rst ? {BEAT{1'b0}} : {group[BEAT-2:0], group_end_1};
    ts_delay #(.WIDTH(1), .CYCLES(BEAT)) delay_done (.clk(clk), .in(last_1), .out(token_done));
    ts_delay #(.WIDTH(QAW), .CYCLES(BEAT - 3)) delay_q (.clk(clk), .in(qaddr), .out(qaddr_start));

`ifdef FORMAL
    wire [15:0] f_left, f_table, f_inside; // beats that are held, behind the requantisers, at the output
    wire        f_done, f_eot;
`endif
    generate
        if (R > 1) begin : g_hold
            localparam         RCW    = $clog2(R);
            localparam [31:0]  R_LAST = R - 1;
            reg  [PM*ACCW-1:0] hold;
            reg  [RCW-1:0]     left;
            reg                done;
            wire               more = left != {RCW{1'b0}};
            always @(posedge clk) begin
                hold <= group[BEAT-2] ? acc : {{(NR*ACCW){1'b0}}, hold[PM*ACCW-1:NR*ACCW]};
                if (group[BEAT-1])
                    done <= token_done;
                if (rst)
                    left <= {RCW{1'b0}};
                else if (group[BEAT-1])
                    left <= R_LAST[RCW-1:0];
                else if (more)
                    left <= left - 1'b1;
                qaddr_read <= group[BEAT-4] ? qaddr_start : qaddr_read + 1'b1;
            end
`ifdef FORMAL
            assign f_left   = left;
            assign f_done   = done;
`endif
            assign beat     = group[BEAT-1] || more;
            assign beat_eot = left == {{(RCW-1){1'b0}}, 1'b1} && done;
            assign beat_acc = hold[NR*ACCW-1:0];
        end else begin : g_straight
            always @(posedge clk)
                qaddr_read <= qaddr_start;
`ifdef FORMAL
            assign f_left   = 0;
            assign f_done   = 0;
`endif
            assign beat     = group[BEAT-1];
            assign beat_eot = token_done;
            assign beat_acc = acc;
        end
    endgenerate

    // ---- requantise
    wire [NR*QE-1:0]  q;
    wire [NR*RQW-1:0] y_rq;
    wire [NR*YW-1:0]  y;
    wire [NR-1:0]     rq_valid, rq_eot;
    wire              y_valid, y_eot;
    ts_mem_checked #(.WIDTH(NR * QE), .DEPTH(PAGES * BT), .STYLE(PSTYLE), .INIT(INIT_Q), .CFG_ID(CFG_Q), .PARITY(PARITY)) mem_q (
        .clk(clk), .rst(rst), .raddr(qaddr_read), .used(beat), .rdata(q), .flipped(flipped[2]),
        .cfg_we(cfg_we), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), .cfg_addr(cfg_addr), .cfg_data(cfg_data));

    generate
        for (i = 0; i < NR; i = i + 1) begin : g_requant
            wire [4:0] width;
            if (VARBITS != 0) begin : g_bits
                assign width = q[i*QE+18+EW +: 5];
            end else begin : g_no_bits
                assign width = 5'd0;
            end
            ts_requant #(.IW(ACCW), .S1(S1), .S2(S2), .EW(EW), .OW(RQW), .OSIGNED(YSIGNED), .VARBITS(VARBITS)) requant (
                .clk(clk), .rst(rst), .in_valid(beat), .in_acc(beat_acc[i*ACCW +: ACCW]), .in_m(q[i*QE +: 18]),
                .in_e(q[i*QE+18 +: EW]), .in_b(1'b0), .in_bits(width), .in_tag(beat_eot),
                .out_valid(rq_valid[i]), .out_y(y_rq[i*RQW +: RQW]), .out_tag(rq_eot[i]));
        end
        if (TABLE != 0) begin : g_table
            wire [NR-1:0] lane_flipped;
            for (i = 0; i < NR; i = i + 1) begin : g_lane
                ts_mem_checked #(.WIDTH(YW), .DEPTH(1 << IDXW), .STYLE(TSTYLE), .INIT(INIT_T), .CFG_ID(CFG_T), .PARITY(PARITY)) mem_t (
                    .clk(clk), .rst(rst), .raddr(y_rq[i*IDXW +: IDXW]), .used(y_valid), .rdata(y[i*YW +: YW]), .flipped(lane_flipped[i]),
                    .cfg_we(cfg_we), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), .cfg_addr(cfg_addr), .cfg_data(cfg_data));
            end
            assign flipped[3] = |lane_flipped;
            reg [1:0] table_valid;
            always @(posedge clk)
                table_valid <= rst ? 2'b0 : {table_valid[0], rq_valid[0]};
            assign y_valid = table_valid[1];
`ifdef FORMAL
            assign f_table = table_valid[0] + table_valid[1];
`endif
            ts_delay #(.WIDTH(1), .CYCLES(2)) delay_eot (.clk(clk), .in(rq_eot[0]), .out(y_eot));
        end else begin : g_no_table
            assign flipped[3]  = 1'b0;
            assign y       = y_rq;
            assign y_valid = rq_valid[0];
            assign y_eot   = rq_eot[0];
`ifdef FORMAL
            assign f_table = 0;
`endif
        end
    endgenerate
    // The lanes run together: lane 0 speaks for all.
    wire unused = &{1'b0, rq_valid, rq_eot};

    // ---- collect and put out; tags wait beside the data
    wire result_bad; // a result finds no room, or did in ts_collect
    generate
        if (BEATS != 0) begin : g_beats
            wire          fifo_ready;
            wire [CW-1:0] fifo_count;
            ts_fifo_lut #(.WIDTH(NR * YW + 1), .DEPTH(DEPTH)) fifo (
                .clk(clk), .rst(rst), .s_valid(y_valid), .s_ready(fifo_ready), .s_data({y_eot, y}),
`ifdef FORMAL
                .m_data({f_eot, m_data}),
`else
                .m_data({m_eot, m_data}),
`endif
                .m_valid(m_valid), .m_ready(m_ready), .count(fifo_count));
`ifdef FORMAL
            // ts_fifo_lut is proved to give its words in their order.
            assign m_eot    = f_out == BT - 1;
            assign f_inside = fifo_count;
`endif
            assign result_bad = y_valid && !fifo_ready;
            wire unused_fifo = &{1'b0, fifo_count};
        end else begin : g_vector
            wire [BT*NR*YW-1:0] vector;
            ts_collect #(.WIDTH(NR * YW), .BEATS(BT), .DEPTH(DEPTH)) collect (
                .clk(clk), .rst(rst), .s_valid(y_valid), .s_data(y), .m_valid(m_valid), .m_ready(m_ready), .m_data(vector),
`ifdef FORMAL
                .f_inside(f_inside),
`endif
                .fault(result_bad));
            assign m_data = vector[M*YW-1:0];
            assign m_eot  = 1'b1;
            wire unused_vector = &{1'b0, y_eot, vector};
        end
    endgenerate

    localparam      TCW = $clog2(IN_FLIGHT + 1);
    wire [TCW-1:0]  tag_count;
    wire            tag_ready, tag_valid;
    ts_fifo_lut #(.WIDTH(TAGW), .DEPTH(IN_FLIGHT)) tags (
        .clk(clk), .rst(rst), .s_valid(begins), .s_ready(tag_ready), .s_data(s_tag),
        .m_valid(tag_valid), .m_ready(pop && m_eot), .m_data(m_tag), .count(tag_count));
    // Credits make sure that nothing is ever full when it is written.
    ts_watch #(.N(3)) watch (
        .clk(clk), .rst(rst), .bad({result_bad, begins && !tag_ready, pop && m_eot && !tag_valid}), .fault(fault[0]));
    wire unused_tags = &{1'b0, tag_count};

`ifdef FORMAL
    // Every place that is used is accounted for: by beats that are still to be issued (of a group that is promised), by groups on their way
    // to the requantisers, by beats behind them and at the output. So nothing is lost, nothing is full when it is written (ts_watch,
    // ts_collect), nothing is empty when it is read. Groups are at least KO >= R cycles apart, so that none comes while another is held.
    localparam SPAN = BEAT + 1 + R;
    reg             f_started = 0;
    reg  [5:0]      f_line, f_line_eot; // copies of ts_requant's
    reg  [SPAN-1:0] f_groups;           // group ends 1, 2 ... cycles ago
    reg  [SPAN-1:0] f_last;             // they were their token's last
    reg  [15:0]     f_in, f_out;        // beats of the token at the output's input, and of the one at the output, that have passed
    reg  [15:0]     f_beats, f_flying, f_at, f_group;
    integer         f_i, f_j;
    wire [15:0]     f_coming = !in_token ? 0 : MO - mo; // groups of the token that have not ended
    always @(posedge clk) begin
        f_started  <= 1;
        f_line     <= rst ? 0 : {f_line[4:0], beat};
        f_line_eot <= {f_line_eot[4:0], beat_eot};
        f_groups   <= rst ? 0 : {f_groups[SPAN-2:0], group_end};
        f_last     <= {f_last[SPAN-2:0], last_mo};
        f_in       <= rst ? 0 : !y_valid ? f_in : f_in == BT - 1 ? 0 : f_in + 1;
        f_out      <= rst || BEATS == 0 ? 0 : !pop ? f_out : m_eot ? 0 : f_out + 1;
        f_flying    = f_left + f_table;
        for (f_i = 0; f_i <= BEAT; f_i = f_i + 1)
            f_flying = f_flying + (f_groups[f_i] ? R : 0);
        for (f_i = 0; f_i < 6; f_i = f_i + 1)
            f_flying = f_flying + f_line[f_i];
        if (!f_started)
            assume (rst);
        else begin
            assert (rq_valid[0] == f_line[5]);
            assert (f_groups[BEAT:0] == {group, group_end_1});
            assert (ko <= KO_LAST && mo <= MO_LAST && (in_token || (ko == 0 && mo == 0)) && (!paused || (in_token && ko == 0 && mo != 0)));
            for (f_i = 0; f_i < SPAN; f_i = f_i + 1) begin
                assert (!f_groups[f_i] || ko <= f_i);
                for (f_j = f_i + 1; f_j < SPAN && f_j < f_i + KO; f_j = f_j + 1)
                    assert (!f_groups[f_i] || !f_groups[f_j]);
            end
            for (f_i = 0; f_i < R - 1; f_i = f_i + 1)
                assert (!f_groups[BEAT+1+f_i] || f_left == R - 1 - f_i);
            assert (f_left == 0 || (f_groups >> BEAT + 1) != 0);
            // Credits.
            assert (used <= DEPTH && (!room || used <= ROOM) && (MO > 1 || used <= DEPTH - SPARE));
            if (BEATS == 0)
                assert (!paused && used * BT == f_coming * R + f_flying + f_inside && used == tag_count);
            else begin
                assert (used == (in_token && !paused ? R : 0) + f_flying + f_inside);
                assert (tag_count * BT == used + (!in_token ? 0 : paused ? f_coming * R : (f_coming - 1) * R) + f_out && f_out < BT);
            end
            // The last beat of a token is the one that says so: what is ahead of it tells its number.
            f_at = f_in;
            assert (f_in < BT);
            if (BEATS != 0 && TABLE == 0) begin
                for (f_i = 5; f_i >= 0; f_i = f_i - 1)
                    if (f_line[f_i]) begin
                        assert (f_line_eot[f_i] == (f_at == BT - 1));
                        f_at = f_at == BT - 1 ? 0 : f_at + 1;
                    end
                assert (!y_valid || y_eot == (f_in == BT - 1));
                for (f_i = 0; f_i < R - 1; f_i = f_i + 1)
                    if (f_left > f_i) begin
                        assert (f_done == (f_at + f_left - f_i == BT));
                        f_at = f_at == BT - 1 ? 0 : f_at + 1;
                    end
                for (f_i = BEAT; f_i >= 0; f_i = f_i - 1)
                    if (f_groups[f_i]) begin
                        assert (f_last[f_i] == (f_at == BT - R));
                        f_at = f_at == BT - R ? 0 : f_at + R;
                    end
                assert (f_at == mo * R);
                assert (!group[BEAT-1] || token_done == f_last[BEAT]);
            end
        end
    end
`endif
endmodule

`default_nettype wire
