// K and V of the event-layer being read and of the one arriving: two banks, a memory for each of the PKEY key lanes, so that
// token j writes lane j % PKEY. A word is PH heads x PD of the head width; a token's HG*DC words are written one a cycle: word
// g*DC + c holds channels c*PD... of heads g*PH... (zeros beyond the last). Key group i starts at word i*HG*DC of its bank.
//
// Tokens fill one bank; the one tagged last sends the event on as a descriptor (after its last word has been written) and turns
// to the other bank, which must have been released. A drop token empties the bank. Read latency 2, as ts_mem.
//
// VPACK = 1: values are stored packed, in pairs of channels 2i and 2i+1 of a chunk (ts_pack).
`default_nettype none

module ts_attn_kv #(
    parameter H     = 1,
    parameter DH    = 1,
    parameter PKEY  = 1,
    parameter PH    = 1,
    parameter PD    = 1,
    parameter NMAX  = 16,
    parameter KW    = 8,
    parameter VW    = 8,
    parameter VPACK = 0,
    parameter LW    = 1,
    parameter STYLE = "block",
    parameter NW    = $clog2(NMAX + 1), // derived, as all below
    parameter HG    = (H + PH - 1) / PH,
    parameter DC    = (DH + PD - 1) / PD,
    parameter BANK  = (NMAX + PKEY - 1) / PKEY * HG * DC, // words
    parameter KAW   = $clog2(2 * BANK),
    parameter SPW   = $clog2(BANK + 1)
) (
    input  wire                     clk,
    input  wire                     rst,
    // tokens; `take` only while `ready`
    output wire                     ready,
    input  wire                     take,
    input  wire                     drop,
    input  wire                     last,
    input  wire [LW-1:0]            layer,
    input  wire [H*DH*KW-1:0]       k,
    input  wire [H*DH*VW-1:0]       v,
    // complete events
    output wire                     e_valid,
    input  wire                     e_ready,
    output wire [NW-1:0]            e_n,
    output wire [SPW-1:0]           e_span, // steps of an item up to the first chunk of its last key group
    output wire [LW-1:0]            e_layer,
    output wire                     e_bank,
    input  wire                     release_it, // the bank's last read has been issued
    input  wire                     release_bank,
    // reads
    input  wire [KAW-1:0]           kaddr,
    output wire [PKEY*PH*PD*KW-1:0] kword,
    input  wire [KAW-1:0]           vaddr,
    output wire [PKEY*PH*PD*VW-1:0] vword,
    output wire                     fault // ts_watch: an event found no place, a token no bank; a bank was released that was not full
);
    localparam        WORDS = HG * DC;
    localparam        WW    = WORDS > 1 ? $clog2(WORDS) : 1;
    localparam [31:0] STEP  = WORDS;
    localparam [31:0] BASE1 = BANK;
    localparam [31:0] CHUNKS = DC;
    localparam        EW    = NW + SPW + LW + 1;

    // Acceptance: where the next token goes, and how much of the event there is.
    reg            bank;
    reg  [1:0]     full; // complete, not released
    reg  [NW-1:0]  n;
    reg  [SPW-1:0] span;
    reg  [PKEY-1:0] lane; // one-hot
    reg  [KAW-1:0] group; // address
    wire           done = take && last && !drop;
    wire           other = bank ^ done;
    wire [PKEY:0]  lane_up = {lane, lane[PKEY-1]};

    always @(posedge clk)
        if (rst) begin
            bank <= 1'b0;
            full <= 2'b00;
        end else begin
            bank <= other;
            if (release_it)
                full[release_bank] <= 1'b0;
            if (done)
                full[bank] <= 1'b1;
        end

    always @(posedge clk)
        if (rst || (take && (last || drop))) begin
            n     <= {NW{1'b0}};
            span  <= {{(SPW-1){1'b0}}, 1'b1};
            lane  <= {{PKEY-1{1'b0}}, 1'b1};
            group <= !rst && other ? BASE1[KAW-1:0] : {KAW{1'b0}};
        end else if (take) begin
            n     <= n + 1'b1;
            lane  <= lane_up[PKEY-1:0];
            if (lane[PKEY-1]) begin
                span  <= span + CHUNKS[SPW-1:0];
                group <= group + STEP[KAW-1:0];
            end
        end

    // Writing: the token's words leave through the low end.
    reg                     busy;
    reg  [WW-1:0]           word;
    reg  [PKEY-1:0]         wlane;
    reg  [KAW-1:0]          waddr;
    reg                     wlast;
    reg  [EW-1:0]           event_word;
    reg  [WORDS*PH*PD*KW-1:0] kwords;
    reg  [WORDS*PH*PD*VW-1:0] vwords;
    wire [WORDS*PH*PD*KW-1:0] k_folded;
    wire [WORDS*PH*PD*VW-1:0] v_folded;
    // The highest word stays, so that nothing moves where there is only one.
    wire [(WORDS+1)*PH*PD*KW-1:0] k_up = {kwords[(WORDS-1)*PH*PD*KW +: PH*PD*KW], kwords};
    wire [(WORDS+1)*PH*PD*VW-1:0] v_up = {vwords[(WORDS-1)*PH*PD*VW +: PH*PD*VW], vwords};
    wire [PH*PD*VW-1:0]     v_write;
    wire                    last_word = word == STEP[WW-1:0] - 1'b1;

    assign ready = !full[bank] && (!busy || last_word);

    always @(posedge clk)
        if (rst)
            busy <= 1'b0;
        else
            busy <= (take && !drop) || (busy && !last_word);

    always @(posedge clk)
        if (take) begin
            word       <= {WW{1'b0}};
            wlane      <= lane;
            waddr      <= group;
            wlast      <= last;
            event_word <= {n + 1'b1, span, layer, bank};
            kwords     <= k_folded;
            vwords     <= v_folded;
        end else begin
            word       <= word + 1'b1;
            waddr      <= waddr + 1'b1;
            kwords     <= k_up[PH*PD*KW +: WORDS*PH*PD*KW];
            vwords     <= v_up[PH*PD*VW +: WORDS*PH*PD*VW];
        end

    // Two banks, at most two events: the FIFO is never full.
    wire       e_room;
    wire       complete = busy && last_word && wlast;
    wire [1:0] e_count;
    ts_fifo_lut #(.WIDTH(EW), .DEPTH(2)) events (
        .clk(clk), .rst(rst), .s_valid(complete), .s_ready(e_room), .s_data(event_word),
        .m_valid(e_valid), .m_ready(e_ready), .m_data({e_n, e_span, e_layer, e_bank}), .count(e_count));
    ts_watch #(.N(3)) watch (
        .clk(clk), .rst(rst), .bad({complete && !e_room, take && !ready, release_it && !full[release_bank]}), .fault(fault));
    wire unused = &{1'b0, e_count, lane_up[PKEY], k_up, v_up};

    genvar g, c, h, d, j;
    generate
        for (g = 0; g < HG; g = g + 1) begin : g_group
            for (c = 0; c < DC; c = c + 1) begin : g_chunk
                for (h = 0; h < PH; h = h + 1) begin : g_head
                    for (d = 0; d < PD; d = d + 1) begin : g_channel
                        localparam TO   = ((g*DC + c)*PH + h)*PD + d;
                        localparam FROM = (g*PH + h)*DH + c*PD + d;
                        if (g*PH + h < H && c*PD + d < DH) begin : g_value
                            assign k_folded[TO*KW +: KW] = k[FROM*KW +: KW];
                            assign v_folded[TO*VW +: VW] = v[FROM*VW +: VW];
                        end else begin : g_zero
                            assign k_folded[TO*KW +: KW] = {KW{1'b0}};
                            assign v_folded[TO*VW +: VW] = {VW{1'b0}};
                        end
                    end
                end
            end
        end
        for (d = 0; d < PH*PD; d = d + 1) begin : g_write
            if (VPACK != 0 && d % PD % 2 == 1) begin : g_packed
                ts_pack #(.N(1), .W(VW)) pack (
                    .b0(vwords[(d-1)*VW +: VW]), .b1(vwords[d*VW +: VW]), .b1_less(v_write[d*VW +: VW]));
            end else begin : g_plain
                assign v_write[d*VW +: VW] = vwords[d*VW +: VW];
            end
        end
        for (j = 0; j < PKEY; j = j + 1) begin : g_lane
            wire we = busy && wlane[j];
            ts_mem #(.WIDTH(PH*PD*KW), .DEPTH(2*BANK), .STYLE(STYLE)) kmem (
                .clk(clk), .we(we), .waddr(waddr), .wdata(kwords[PH*PD*KW-1:0]),
                .raddr(kaddr), .rdata(kword[j*PH*PD*KW +: PH*PD*KW]),
                .cfg_we(1'b0), .cfg_mem(8'd0), .cfg_slice(10'd0), .cfg_addr(16'd0), .cfg_data(72'd0));
            ts_mem #(.WIDTH(PH*PD*VW), .DEPTH(2*BANK), .STYLE(STYLE)) vmem (
                .clk(clk), .we(we), .waddr(waddr), .wdata(v_write),
                .raddr(vaddr), .rdata(vword[j*PH*PD*VW +: PH*PD*VW]),
                .cfg_we(1'b0), .cfg_mem(8'd0), .cfg_slice(10'd0), .cfg_addr(16'd0), .cfg_data(72'd0));
        end
    endgenerate
endmodule

`default_nettype wire
