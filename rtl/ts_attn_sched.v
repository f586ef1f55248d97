// When work items start. An item is a block of queries and a group of heads; its pass one makes scores and their maxima, its pass
// two, an item or more behind, the context. Both passes walk over the keys without a pause, so all that can wait is a start:
//   pass one: until its half of the score memory is free, i.e. pass two of the item before the last has started (it reads in the
//     order and at the pace in which pass one writes, and reads first);
//   pass two: until pass one has scored the item; until the output has room for the block's contexts, reserved here and never
//     asked for again; and until its sums will find the holding registers free: so many cycles after the item before was
//     complete as ts_attn_final takes steps for it, which is known beforehand as nothing after the start can wait.
// Where none of these waits, items follow each other without a gap in both passes.
`default_nettype none

module ts_attn_sched #(
    parameter PQ     = 1,
    parameter PKEY   = 1,
    parameter HG     = 1,  // head groups
    parameter DC     = 1,  // chunks of the head width
    parameter HOW    = 1,  // bits of b_hold
    parameter PLACES = 2,  // contexts that the output can hold
    parameter BANK   = 1,  // words of a K/V bank
    parameter SCORES = 1,  // words of a half of the score memory
    parameter NW     = 4,
    parameter SPW    = 4,
    parameter LW     = 1,
    parameter WW     = 1,
    parameter KAW    = 4,
    parameter SAW    = 4,
    parameter GW     = HG > 1 ? $clog2(HG) : 1, // derived, as below
    parameter CW     = $clog2(PQ + 1)
) (
    input  wire            clk,
    input  wire            rst,
    // blocks
    input  wire            b_valid,
    output wire            b_take,
    input  wire [NW-1:0]   b_n,
    input  wire [SPW-1:0]  b_span,
    input  wire [LW-1:0]   b_layer,
    input  wire            b_bank,
    input  wire [CW-1:0]   b_count,
    input  wire [HOW-1:0]  b_hold, // DC - 2 and the item's steps in ts_attn_final
    input  wire            b_last,
    // pass one, step by step
    output wire            one_run,
    output wire            one_first_key,
    output wire            one_first_chunk,
    output wire            one_last_chunk,
    output wire            one_last,
    output wire [PKEY-1:0] one_none,
    output wire [KAW-1:0]  one_kaddr,
    output wire [SAW-1:0]  one_saddr,
    output reg  [WW-1:0]   one_word, // of the queries
    output wire [GW-1:0]   one_group,
    output wire [LW-1:0]   one_layer,
    output reg             one_half, // of the score memory
    input  wire            scored,   // the item in this half is ready for pass two
    input  wire            scored_half,
    // pass two, step by step
    output reg             two_begin, // the item's first step
    output wire            two_run,
    output wire            two_first_key,
    output wire            two_last_key,
    output wire            two_last_chunk,
    output wire            two_last,
    output wire [PKEY-1:0] two_none,
    output wire [KAW-1:0]  two_vaddr,
    output wire [SAW-1:0]  two_saddr,
    output reg             two_half,
    output reg  [GW-1:0]   two_group,
    output reg  [LW-1:0]   two_layer,
    output reg  [CW-1:0]   two_count,
    output reg             two_block_last, // the event's last block
    output reg             two_bank,
    output reg             two_bank_done, // with two_last: no item of this event follows
    input  wire            taken,         // a context has left
    output wire            fault          // ts_watch: more or fewer places than there are, or an item scored twice
);
    localparam        BW         = HOW + NW + SPW + LW + 1 + CW + 1;
    localparam        IW         = BW + GW + WW;
    localparam        HW         = (SPW > HOW ? SPW : HOW) + 1;
    localparam        RW         = $clog2(PLACES + 1);
    localparam [31:0] LAST_GROUP = HG - 1;
    localparam [31:0] CHUNKS     = DC;
    localparam [31:0] BASE1      = BANK;
    localparam [31:0] HALF1      = SCORES;
    localparam [31:0] ALL        = PLACES;
    localparam [31:0] BLOCK      = PQ;

    // Pass one.
    reg            more; // head groups of the block at hand
    reg            half; // for the item to come
    reg  [1:0]     held; // halves in use
    reg  [BW-1:0]  block;
    reg  [GW-1:0]  group;
    reg  [WW-1:0]  word; // the item's first
    reg  [WW-1:0]  word_up; // that of the head group after it: added beforehand, so that one adder is in front of `kaddr`
    wire           start_one = (!one_run || one_last) && !held[half] && (more || b_valid);
    wire [BW-1:0]  next_block = more ? block : {b_hold, b_n, b_span, b_layer, b_bank, b_count, b_last};
    wire [GW-1:0]  next_group = more ? group + 1'b1 : {GW{1'b0}};
    wire [WW-1:0]  next_word  = more ? word_up : {WW{1'b0}};
    wire [NW-1:0]  next_n     = next_block[SPW+LW+CW+2 +: NW];
    wire           next_bank  = next_block[CW+1];

    assign one_group = group;
    assign one_layer = block[CW+2 +: LW];

    // Pass two.
    reg            turn; // half of the item to come
    reg  [1:0]     ready;
    reg  [HW-1:0]  wait_for; // cycles until the holding registers are free again
    reg  [RW-1:0]  room; // free places of the output
    reg            left; // a context has, the cycle before
    reg  [CW-1:0]  two_less; // two_count - 1
    reg  [IW-1:0]  item0, item1;
    wire [IW-1:0]  cand = turn ? item1 : item0;
    wire [HOW-1:0] cand_hold;
    wire [NW-1:0]  cand_n;
    wire [SPW-1:0] cand_span;
    wire [LW-1:0]  cand_layer;
    wire           cand_bank, cand_last;
    wire [CW-1:0]  cand_count;
    wire [GW-1:0]  cand_group;
    wire [WW-1:0]  cand_word;
    assign {cand_hold, cand_n, cand_span, cand_layer, cand_bank, cand_count, cand_last, cand_group, cand_word} = cand;
    // A block's places are subtracted the cycle after its first item has started; until then no other block starts.
    wire           reserve = two_begin && two_group == {GW{1'b0}};
    // room - two_count + left in one adder: the complement of two_count - 1 is -two_count, and `left` carries in.
    wire [RW-1:0]  spent  = reserve ? ~{{(RW-CW){1'b0}}, two_less} : {RW{1'b0}};
    wire [RW:0]    change = {room, 1'b1} + {spent, left};
    wire           placed = {{(32-RW){1'b0}}, room} >= BLOCK && !reserve;
    wire           start_two = (!two_run || two_last) && ready[turn] && wait_for <= {{(HW-SPW){1'b0}}, cand_span} &&
                               (cand_group != {GW{1'b0}} || placed);

    assign b_take = start_one && !more;

    always @(posedge clk)
        if (rst) begin
            more  <= 1'b0;
            half  <= 1'b0;
            turn  <= 1'b0;
            held  <= 2'b00;
            ready <= 2'b00;
            room  <= ALL[RW-1:0];
            left  <= 1'b0;
        end else begin
            if (start_one) begin
                more       <= next_group != LAST_GROUP[GW-1:0];
                half       <= !half;
                held[half] <= 1'b1;
            end
            if (scored)
                ready[scored_half] <= 1'b1;
            if (start_two) begin
                turn        <= !turn;
                held[turn]  <= 1'b0;
                ready[turn] <= 1'b0;
            end
            room <= change[RW:1];
            left <= taken;
        end

    always @(posedge clk) begin
        if (start_one) begin
            block    <= next_block;
            group    <= next_group;
            word     <= next_word;
            word_up  <= next_word + CHUNKS[WW-1:0];
            one_half <= half;
            one_word <= next_word;
            if (half)
                item1 <= {next_block, next_group, next_word};
            else
                item0 <= {next_block, next_group, next_word};
        end else
            one_word <= one_last_chunk ? word : one_word + 1'b1;
        if (start_two) begin
            two_half       <= turn;
            two_group      <= cand_group;
            two_layer      <= cand_layer;
            two_count      <= cand_count;
            two_less       <= cand_count - 1'b1;
            two_block_last <= cand_last;
            two_bank       <= cand_bank;
            two_bank_done  <= cand_last && cand_group == LAST_GROUP[GW-1:0];
        end
    end

    always @(posedge clk)
        if (rst) begin
            two_begin <= 1'b0;
            wait_for  <= {HW{1'b0}};
        end else begin
            two_begin <= start_two;
            if (start_two)
                wait_for <= {{(HW-SPW){1'b0}}, cand_span} + {{(HW-HOW){1'b0}}, cand_hold};
            else if (wait_for != {HW{1'b0}})
                wait_for <= wait_for - 1'b1;
        end

    // Items of head group g start g*DC words behind the bank's first word.
    wire [KAW-1:0] next_kaddr, cand_vaddr;
    generate
        if (HG > 1) begin : g_groups
            assign next_kaddr = (next_bank ? BASE1[KAW-1:0] : {KAW{1'b0}}) + {{(KAW-WW){1'b0}}, next_word};
            assign cand_vaddr = (cand_bank ? BASE1[KAW-1:0] : {KAW{1'b0}}) + {{(KAW-WW){1'b0}}, cand_word};
        end else begin : g_one_group
            assign next_kaddr = next_bank ? BASE1[KAW-1:0] : {KAW{1'b0}};
            assign cand_vaddr = cand_bank ? BASE1[KAW-1:0] : {KAW{1'b0}};
        end
    endgenerate

    wire one_last_key; // pass one cares for keys by `one_none`
    ts_attn_walk #(.NW(NW), .PKEY(PKEY), .DC(DC), .STEP(HG*DC), .KAW(KAW), .SAW(SAW)) walk_one (
        .clk(clk), .rst(rst), .start(start_one), .n(next_n), .kaddr0(next_kaddr),
        .saddr0(half ? HALF1[SAW-1:0] : {SAW{1'b0}}), .run(one_run), .first_key(one_first_key), .last_key(one_last_key),
        .first_chunk(one_first_chunk), .last_chunk(one_last_chunk), .last(one_last), .none(one_none),
        .kaddr(one_kaddr), .saddr(one_saddr));

    wire two_first_chunk; // pass two accumulates each chunk by itself
    ts_attn_walk #(.NW(NW), .PKEY(PKEY), .DC(DC), .STEP(HG*DC), .KAW(KAW), .SAW(SAW)) walk_two (
        .clk(clk), .rst(rst), .start(start_two), .n(cand_n), .kaddr0(cand_vaddr),
        .saddr0(turn ? HALF1[SAW-1:0] : {SAW{1'b0}}), .run(two_run), .first_key(two_first_key), .last_key(two_last_key),
        .first_chunk(two_first_chunk), .last_chunk(two_last_chunk), .last(two_last), .none(two_none),
        .kaddr(two_vaddr), .saddr(two_saddr));
    ts_watch #(.N(2)) watch (.clk(clk), .rst(rst), .bad({room > ALL[RW-1:0], scored && ready[scored_half]}), .fault(fault));
    wire unused = &{1'b0, one_last_key, two_first_chunk, cand_word, change[0]};
endmodule

`default_nettype wire
