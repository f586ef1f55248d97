// Contexts from the sums of an item. The cycle after `go` its sums are in `sums`, three cycles later in `accs`; both must stay for
// PH * ceil(DH / NF) cycles for each query of the block. A step takes one query, head and NF channels: the reciprocal of the sum,
// then ts_attn_scale. Nothing waits: the output FIFOs, one for each head group, have room for every item that is let in
// (ts_attn_sched). A token leaves when its last head group is in. Layer-dependent constants come from the configuration word
// {cbits[4:0], ctx_e[1:0], score_e[H][1:0]}.
//
// From `go` to the item's first context at its FIFO's output: 14 + ts_recip's cycles + PH * ceil(DH / NF).
`default_nettype none

module ts_attn_final #(
    parameter H      = 1,
    parameter DH     = 1,
    parameter PQ     = 1,
    parameter PH     = 1,
    parameter NF     = 1,
    parameter PW     = 12,
    parameter VW     = 8,
    parameter SUMW   = 16,
    parameter ACCW   = 24,
    parameter CW     = 8,
    parameter C2     = 20,
    parameter LAYERS = 1,
    parameter LW     = 1,
    parameter REG    = 2,
    parameter PLACES = 32,
    parameter INIT_A = "",
    parameter CFG_A  = 0,
    parameter PARITY = 0, // of the configuration words: a bit on top
    parameter HG     = (H + PH - 1) / PH, // derived, as below
    parameter GW     = HG > 1 ? $clog2(HG) : 1,
    parameter QCW    = $clog2(PQ + 1)
) (
    input  wire                     clk,
    input  wire                     rst,
    input  wire                     go,
    input  wire [LW-1:0]            go_layer,
    input  wire [GW-1:0]            go_group,
    input  wire [QCW-1:0]           go_count, // queries of the block
    input  wire                     go_last,  // the event's last block
    input  wire [PQ*PH*SUMW-1:0]    sums,
    input  wire [PQ*PH*DH*ACCW-1:0] accs,
    output wire                     m_valid,
    input  wire                     m_ready,
    output wire [H*DH*CW-1:0]       m_data,
    output wire [LW-1:0]            m_layer,
    output wire                     m_last,
    output wire                     fault, // ts_watch: items overlap, a FIFO is full or one is empty
    output wire                     flipped,  // a configuration word was used that is not as it was made
    input  wire                     cfg_we,
    input  wire [7:0]               cfg_mem,
    input  wire [9:0]               cfg_slice,
    input  wire [15:0]              cfg_addr,
    input  wire [71:0]              cfg_data
);
    localparam        CHUNKS     = (DH + NF - 1) / NF;
    localparam        STEPS      = PQ * PH * CHUNKS;
    localparam        SW         = STEPS > 1 ? $clog2(STEPS) : 1;
    localparam        RW         = PQ * PH > 1 ? $clog2(PQ * PH) : 1;
    localparam        HW         = PH > 1 ? $clog2(PH) : 1;
    localparam        CHW        = CHUNKS > 1 ? $clog2(CHUNKS) : 1;
    localparam        BEAT       = NF * ACCW;
    localparam [31:0] ONE        = 1;
    localparam [31:0] LAST_HEAD  = PH - 1;
    localparam [31:0] LAST_CHUNK = CHUNKS - 1;
    localparam        CTRL       = 2 + GW + LW;

    // The steps of an item.
    reg            busy;
    reg  [SW-1:0]  step;
    reg  [RW-1:0]  row; // query and head
    reg  [QCW-1:0] left; // queries of the block from this one on
    reg  [HW-1:0]  head;
    reg  [CHW-1:0] chunk;
    reg  [GW-1:0]  group;
    reg  [LW-1:0]  layer;
    reg            last;
    wire           row_end   = chunk == LAST_CHUNK[CHW-1:0];
    wire           query_end = row_end && head == LAST_HEAD[HW-1:0];
    wire           block_end  = query_end && left == ONE[QCW-1:0];

    always @(posedge clk)
        if (rst)
            busy <= 1'b0;
        else
            busy <= go || (busy && !block_end);

    always @(posedge clk)
        if (go) begin
            step  <= {SW{1'b0}};
            row   <= {RW{1'b0}};
            left  <= go_count;
            head  <= {HW{1'b0}};
            chunk <= {CHW{1'b0}};
            group <= go_group;
            layer <= go_layer;
            last  <= go_last;
        end else begin
            step  <= step + 1'b1;
            chunk <= row_end ? {CHW{1'b0}} : chunk + 1'b1;
            if (row_end) begin
                row  <= row + 1'b1;
                head <= query_end ? {HW{1'b0}} : head + 1'b1;
            end
            if (query_end)
                left <= left - 1'b1;
        end

    // A step's sum is there three cycles before its weighted sums: it waits for them.
    wire [SUMW-1:0]       sum_now, sum;
    reg  [SUMW-1:0]       sum_picked;
    wire [STEPS*BEAT-1:0] beats;
    wire [SW-1:0]         acc_step;
    wire [BEAT-1:0]       acc_now;
    reg  [BEAT-1:0]       acc;
    wire                  valid;
    wire [CTRL-1:0]       ctrl;

    genvar r, c, i;
    generate
        if (NF > DH) begin : g_guard
            ts_attention_needs_NF_of_at_most_DH guard ();
        end
        for (r = 0; r < PQ*PH; r = r + 1) begin : g_row
            for (c = 0; c < CHUNKS; c = c + 1) begin : g_chunk
                for (i = 0; i < NF; i = i + 1) begin : g_lane
                    if (c*NF + i < DH) begin : g_value
                        assign beats[((r*CHUNKS + c)*NF + i)*ACCW +: ACCW] = accs[(r*DH + c*NF + i)*ACCW +: ACCW];
                    end else begin : g_zero
                        assign beats[((r*CHUNKS + c)*NF + i)*ACCW +: ACCW] = {ACCW{1'b0}};
                    end
                end
            end
        end
    endgenerate
    ts_pick #(.N(PQ*PH), .WIDTH(SUMW)) sum_pick (.x(sums), .sel(row), .y(sum_now));
    ts_pick #(.N(STEPS), .WIDTH(BEAT)) acc_pick (.x(beats), .sel(acc_step), .y(acc_now));
    always @(posedge clk) begin
        sum_picked <= sum_now;
        acc        <= acc_now;
    end
    ts_delay #(.WIDTH(SUMW), .CYCLES(3)) sum_line (.clk(clk), .in(sum_picked), .out(sum));
    ts_delay #(.WIDTH(SW), .CYCLES(3)) step_line (.clk(clk), .in(step), .out(acc_step));
    ts_pulse #(.CYCLES(4)) valid_line (.clk(clk), .rst(rst), .in(busy), .out(valid));
    ts_delay #(.WIDTH(CTRL), .CYCLES(4)) ctrl_line (
        .clk(clk), .in({query_end, last && block_end, group, layer}), .out(ctrl));

    // Reciprocal and scaling.
    wire            r_valid;
    wire [16:0]     r_value, scale_r;
    wire [5:0]      r_len;
    wire [BEAT-1:0] r_acc;
    wire            r_end, r_last;
    wire [GW-1:0]   r_group;
    wire [LW-1:0]   r_layer;
    ts_recip #(.DW(SUMW), .SIDEW(BEAT + CTRL), .DIGITS(REG)) recip (
        .clk(clk), .rst(rst), .in_valid(valid), .in_d(sum), .in_side({acc, ctrl}),
        .out_valid(r_valid), .out_r(r_value), .out_len(r_len), .out_side({r_acc, r_end, r_last, r_group, r_layer}));
    ts_delay #(.WIDTH(17), .CYCLES(2)) r_line (.clk(clk), .in(r_value), .out(scale_r));

    wire [2*H+6:0]  word;
    wire [1:0]      scale_e;
    wire [4:0]      cbits = word[2*H+2 +: 5];
    reg  [CW-2:0]   limit_made;
    wire [CW-2:0]   limit;
    localparam [31:0] WIDEST = CW;
    wire [4:0]      narrower = WIDEST[4:0] - cbits;
    localparam      AAW = LAYERS > 1 ? $clog2(LAYERS) : 1;
    wire            word_used;
    ts_pulse #(.CYCLES(PARITY != 0 ? 2 : 0)) used_line (.clk(clk), .rst(rst), .in(r_valid), .out(word_used));
    ts_mem_checked #(.WIDTH(2*H + 7), .DEPTH(LAYERS), .STYLE("distributed"), .INIT(INIT_A), .CFG_ID(CFG_A), .PARITY(PARITY)) constants (
        .clk(clk), .rst(rst), .raddr(r_layer[AAW-1:0]), .used(word_used), .rdata(word), .flipped(flipped),
        .cfg_we(cfg_we), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), .cfg_addr(cfg_addr), .cfg_data(cfg_data));
    always @(posedge clk)
        limit_made <= {CW-1{1'b1}} >> narrower;
    ts_delay #(.WIDTH(2), .CYCLES(3)) e_line (.clk(clk), .in(word[2*H +: 2]), .out(scale_e));
    ts_delay #(.WIDTH(CW-1), .CYCLES(4)) limit_line (.clk(clk), .in(limit_made), .out(limit));

    wire [NF*CW-1:0] y;
    generate
        for (i = 0; i < NF; i = i + 1) begin : g_scale
            ts_attn_scale #(.PW(PW), .VW(VW), .SUMW(SUMW), .ACCW(ACCW), .CW(CW), .SHIFT(C2)) scale (
                .clk(clk), .acc(r_acc[i*ACCW +: ACCW]), .len(r_len), .r(scale_r), .e(scale_e), .limit(limit),
                .y(y[i*CW +: CW]));
        end
    endgenerate

    // A query's beats of this head group side by side, then into the group's FIFO.
    localparam TOKEN = PH * CHUNKS * NF * CW;
    wire                   y_valid, y_end, y_last;
    wire [GW-1:0]          y_group;
    wire [LW-1:0]          y_layer;
    reg                    push, push_last;
    reg  [GW-1:0]          push_group;
    reg  [LW-1:0]          push_layer;
    reg  [TOKEN-1:0]       token;
    wire [TOKEN+NF*CW-1:0] token_next = {y, token};

    ts_pulse #(.WIDTH(2), .CYCLES(8)) y_valid_line (
        .clk(clk), .rst(rst), .in({r_valid, r_valid && r_end}), .out({y_valid, y_end}));
    ts_delay #(.WIDTH(GW+1+LW), .CYCLES(8)) y_ctrl_line (
        .clk(clk), .in({r_last, r_group, r_layer}), .out({y_last, y_group, y_layer}));
    always @(posedge clk) begin
        push       <= y_end && !rst;
        push_last  <= y_last;
        push_group <= y_group;
        push_layer <= y_layer;
        if (y_valid)
            token <= token_next[NF*CW +: TOKEN];
    end

    wire [HG-1:0] f_valid, f_ready, f_bad;
`ifdef FORMAL
    wire [HG*8-1:0] f_counts;
`endif
    wire          pop = m_valid && m_ready;
    genvar g, h, d;
    generate
        for (g = 0; g < HG; g = g + 1) begin : g_group
            localparam        HEADS  = H - g*PH < PH ? H - g*PH : PH;
            localparam        TAG    = g == HG-1 ? LW + 1 : 0; // the last group's FIFO carries the token's tag
            localparam        WIDTH  = HEADS*DH*CW + TAG;
            localparam [31:0] NUMBER = g;
            wire [WIDTH-1:0]  in, out;
            wire [$clog2(PLACES+1)-1:0] count;

            for (h = 0; h < HEADS; h = h + 1) begin : g_head
                for (d = 0; d < DH; d = d + 1) begin : g_channel
                    assign in[(h*DH + d)*CW +: CW] = token[((h*CHUNKS + d/NF)*NF + d%NF)*CW +: CW];
                end
            end
            assign m_data[g*PH*DH*CW +: HEADS*DH*CW] = out[HEADS*DH*CW-1:0];
            if (TAG > 0) begin : g_tag
                assign in[WIDTH-1 -: TAG] = {push_last, push_layer};
                assign {m_last, m_layer}  = out[WIDTH-1 -: TAG];
            end
            wire push_here = push && push_group == NUMBER[GW-1:0];
            ts_fifo_lut #(.WIDTH(WIDTH), .DEPTH(PLACES)) fifo (
                .clk(clk), .rst(rst), .s_valid(push_here), .s_ready(f_ready[g]), .s_data(in),
                .m_valid(f_valid[g]), .m_ready(pop), .m_data(out), .count(count));
            assign f_bad[g] = (push_here && !f_ready[g]) || (pop && !f_valid[g]);
`ifdef FORMAL
            assign f_counts[g*8 +: 8] = count;
`endif
            wire unused = &{1'b0, count};
        end
    endgenerate
    assign m_valid = f_valid[HG-1]; // the other groups' came before
    ts_watch #(.N(HG + 1)) watch (.clk(clk), .rst(rst), .bad({f_bad, go && busy && !block_end}), .fault(fault));
    wire unused = &{1'b0, token_next[NF*CW-1:0], token, r_layer, word};

`ifdef FORMAL
    // As ts_attn_sched must behave: the items of a block, one for each head group, come in order, none before the steps of the one before
    // have been made, and the block's contexts have places, which their leaving gives back. Then every place that is taken is accounted
    // for in each head group: by queries of items that are still to come, of the item that is worked on, on their way to the FIFO, or in it.
    // So no FIFO is full when it is written. Where the last head group's has a context, so have the others' (shown for blocks of one query).
    localparam RECIP = 1 + (16 + REG - 1) / REG;
    localparam SPAN  = 13 + RECIP; // from a query's last step to its push
    reg              f_started = 0;
    reg  [7:0]       f_room, f_count; // free places; queries of the block
    reg  [7:0]       f_group;         // of the item to come
    reg  [SPAN-1:0]  f_ends;          // a query's last step 1, 2 ... cycles ago
    reg  [SPAN*8-1:0] f_groups;       // its head group
    reg  [7:0]       f_pushed;        // head group of the next push
    reg  [7:0]       f_sum, f_at;
    integer          f_i, f_g;
    wire [7:0]       f_free = f_room + pop;
    always @(posedge clk) begin
        f_started <= 1;
        f_ends    <= rst ? 0 : {f_ends[SPAN-2:0], busy && query_end};
        f_groups  <= {f_groups[(SPAN-1)*8-1:0], 8'd0 | group};
        f_room    <= rst ? PLACES : f_free - (go && go_group == 0 ? go_count : 0);
        f_group   <= rst ? 0 : !go ? f_group : f_group == HG - 1 ? 0 : f_group + 1;
        f_count   <= go ? go_count : f_count;
        f_pushed  <= rst ? 0 : !push ? f_pushed : f_pushed == HG - 1 ? 0 : f_pushed + 1;
        if (!f_started)
            assume (rst);
        else begin
            if (go) begin
                assume (!busy || block_end);
                assume (go_group == f_group);
                if (f_group == 0)
                    assume (go_count > 0 && go_count <= PQ && go_count <= f_room);
                else
                    assume (go_count == f_count);
            end
            assert (push == f_ends[SPAN-1]);
            assert ((r_valid && r_end) == f_ends[3+RECIP]);
            assert (y_end == f_ends[SPAN-2]);
            assert (!r_valid || r_group == f_groups[(3+RECIP)*8 +: 8]);
            assert (!y_valid || y_group == f_groups[(SPAN-2)*8 +: 8]);
            assert (!push || push_group == f_groups[(SPAN-1)*8 +: 8]);
            assert (f_group < HG && f_room <= PLACES);
            assert (f_group == 0 || (f_count > 0 && f_count <= PQ));
            if (busy) begin
                assert (left > 0 && left <= f_count && chunk <= LAST_CHUNK && head <= LAST_HEAD && group < HG);
                assert (f_group == (group == HG - 1 ? 0 : group + 1));
            end
            for (f_g = 0; f_g < HG; f_g = f_g + 1) begin
                f_sum = f_counts[f_g*8 +: 8] + (busy && group == f_g ? left : 0) + (f_group != 0 && f_g >= f_group ? f_count : 0);
                for (f_i = 0; f_i < SPAN; f_i = f_i + 1)
                    f_sum = f_sum + (f_ends[f_i] && f_groups[f_i*8 +: 8] == f_g ? 1 : 0);
                assert (f_sum == PLACES - f_room);
            end
            if (PQ == 1) begin
                f_at = f_pushed;
                for (f_i = SPAN - 1; f_i >= 0; f_i = f_i - 1)
                    if (f_ends[f_i]) begin
                        assert (f_groups[f_i*8 +: 8] == f_at);
                        f_at = f_at == HG - 1 ? 0 : f_at + 1;
                    end
                assert (f_at == (busy ? group : f_group) && f_pushed < HG);
                for (f_g = 0; f_g < HG; f_g = f_g + 1)
                    assert (f_counts[f_g*8 +: 8] == f_counts[(HG-1)*8 +: 8] + (f_g < f_pushed ? 1 : 0));
            end
        end
    end
`endif
endmodule

`default_nettype wire
