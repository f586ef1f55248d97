// Brings pages from external memory into the page buffers of STAGES stages, over AXI4 reads, in a fixed cyclic order: transfer i of
// COUNT is for stage SCHEDULE[i*8 +: 8]; the pages lie in external memory in this order, one behind the other, from `base` (a multiple
// of 4096; stable while run is up) on. docs/paging.md has the format of the pages and of the memory, and why the order cannot
// deadlock.
//     stage s: BUFFERS[s*2 +: 2] page buffers (1 or 2); a page is WORDS[s*16 +: 16] words of GROUPS[s*8 +: 8] groups of LANES slices
//     of 72 bits; buffer b begins at word b * WORDS in the stage's page memory (ts_page_mem, w_ ports: w_stage is one-hot).
//
// A transfer is requested as soon as its stage has a free buffer and the transfer in front of it has been requested: bursts of several
// pages follow each other without a gap. Read data are never held up (rready is 1): one beat of 8 * LANES bytes a cycle. `loaded`
// announces a page to its stage's gate, three cycles after its last word on the w_ port (which may therefore pass through up to
// three registers); the gate answers with `freed` when the stage has used the page up.
//
// A page whose check, number or response is wrong is fetched again, with everything requested behind it, up to RETRIES times; after
// that it is announced with loaded_bad and `error` stays up until reset. `retries` counts repeated fetches (modulo 2^16).
// run = 0: no more requests; what is on its way is drained and forgotten, then `idle` is up and rst may come (rst while bursts are on
// their way breaks AXI). run = 1 goes on with the page that was interrupted; after rst, with transfer 0.
`default_nettype none

module ts_page_loader #(
    parameter                 STAGES   = 1,
    parameter                 COUNT    = 1,
    parameter                 LANES    = 1, // the data bus has 64 * LANES bits: 1, 2, 4 or 8
    parameter [COUNT*8-1:0]   SCHEDULE = 8'd0,
    parameter [STAGES*2-1:0]  BUFFERS  = 2'd2,
    parameter [STAGES*16-1:0] WORDS    = 16'd1,
    parameter [STAGES*8-1:0]  GROUPS   = 8'd1,
    parameter                 RETRIES  = 3,
    parameter                 BURSTS   = 8, // on their way at most
    parameter                 ADDRW    = 40
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                run,
    output wire                idle,
    input  wire [ADDRW-1:0]    base,
    output wire                arvalid,
    input  wire                arready,
    output wire [ADDRW-1:0]    araddr,
    output wire [7:0]          arlen,
    output wire [2:0]          arsize,
    output wire [1:0]          arburst,
    input  wire                rvalid,
    output wire                rready,
    input  wire [LANES*64-1:0] rdata,
    input  wire [1:0]          rresp,
    input  wire                rlast,
    output wire [STAGES-1:0]   w_stage,
    output wire [7:0]          w_group,
    output wire [15:0]         w_address,
    output wire [LANES*72-1:0] w_data,
    output reg  [STAGES-1:0]   loaded,
    output reg                 loaded_bad,
    input  wire [STAGES-1:0]   freed,
    output reg                 error,
    output reg  [15:0]         retries,
    output wire                fault // ts_watch, of ts_page_burst's and of buffers that were free, or meant for a page, too often
);
    localparam        BYTES = 8 * LANES;
    localparam        OFFW  = 32;
    localparam        SW    = STAGES > 1 ? $clog2(STAGES) : 1;
    localparam        IW    = COUNT > 1 ? $clog2(COUNT) : 1;
    localparam [31:0] FINAL = COUNT - 1;
    localparam        TW    = $clog2(RETRIES + 2);
    localparam [31:0] TRIES = RETRIES;
    localparam [31:0] SIZE  = $clog2(BYTES);

    wire [STAGES-1:0]      two;   // stages with two buffers
    wire [STAGES*OFFW-1:0] beats; // of a page
    wire [STAGES*OFFW-1:0] beats_less_1;
    wire [STAGES*OFFW-1:0] span;  // words of a page
    wire [STAGES*OFFW-1:0] shape; // {groups less one, words less one} of a page

    function [IW-1:0] after(input [IW-1:0] i);
        after = i == FINAL[IW-1:0] ? {IW{1'b0}} : i + 1'b1;
    endfunction

    // Stages and constants are looked up by ands and ors: an index would make a level of multiplexers a bit.
    function [SW-1:0] stage_of(input [IW-1:0] index);
        integer i;
        begin
            stage_of = {SW{1'b0}};
            for (i = 0; i < COUNT; i = i + 1)
                stage_of = stage_of | ({SW{index == i[IW-1:0]}} & SCHEDULE[i*8 +: SW]);
        end
    endfunction

    function [OFFW-1:0] of_stage(input [SW-1:0] stage, input [STAGES*OFFW-1:0] constants);
        integer i;
        begin
            of_stage = {OFFW{1'b0}};
            for (i = 0; i < STAGES; i = i + 1)
                of_stage = of_stage | ({OFFW{stage == i[SW-1:0]}} & constants[i*OFFW +: OFFW]);
        end
    endfunction

    // ---- recovery: run, then drain, settle (the constants of the page to begin with come out of registers) and hold
    localparam [1:0] RUN = 2'd0, DRAIN = 2'd1, SETTLE = 2'd2, HOLD = 2'd3;
    reg  [1:0]    state;
    reg           settled;
    reg           redo;  // the page of the last verdict is fetched again
    reg  [TW-1:0] tries; // repeated fetches of the page so far
    wire          quiet, pending, turn, v_valid, v_bad;
    wire          clear = state != RUN;
    wire          begin_run = state == HOLD && run;
    wire          drained = state == DRAIN && quiet && !pending;
    wire          again = v_valid && v_bad && tries != TRIES[TW-1:0];
    wire          accepted = v_valid && !again;

    assign idle = state == HOLD && !run;

    always @(posedge clk)
        if (rst) begin
            state   <= DRAIN;
            settled <= 1'b0;
            tries   <= {TW{1'b0}};
            error   <= 1'b0;
            retries <= 16'd0;
        end else begin
            case (state)
                RUN:     state <= !run || again ? DRAIN : RUN;
                DRAIN:   state <= drained ? SETTLE : DRAIN;
                SETTLE:  state <= settled ? HOLD : SETTLE;
                default: state <= run ? RUN : HOLD;
            endcase
            settled <= state == SETTLE;
            if (v_valid)
                tries <= again ? tries + 1'b1 : {TW{1'b0}};
            if (again)
                retries <= retries + 16'd1;
            if (accepted && v_bad)
                error <= 1'b1;
        end

    // ---- pages as they arrive: p_ is the one whose beats come, n_ the one behind it, v_ the one that awaits its verdict
    reg  [IW-1:0]     p_index, n_index, v_index;
    reg  [OFFW-1:0]   p_offset, n_offset, v_offset; // beats from base
    reg  [SW-1:0]     p_stage, n_stage, v_stage;
    reg               p_buffer, v_buffer;
    wire [STAGES-1:0] buffer; // of each stage: the one that its next page goes to
    wire [STAGES-1:0] n_is;   // n_stage, one-hot
    wire [OFFW-1:0]   n_beats = of_stage(n_stage, beats);
    wire [OFFW-1:0]   n_shape = of_stage(n_stage, shape);
    wire [OFFW-1:0]   n_span = of_stage(n_stage, span);
    // The page in hand and the next one may be the same stage's.
    wire              n_buffer = turn && n_stage == p_stage ? |(two & n_is) && !p_buffer : |(buffer & n_is);
    wire              advance = turn || begin_run;

    always @(posedge clk)
        if (rst) begin
            p_index  <= {IW{1'b0}};
            p_offset <= {OFFW{1'b0}};
            redo     <= 1'b0;
        end else begin
            if (advance) begin
                p_index  <= n_index;
                p_offset <= n_offset;
            end
            if (again)
                redo <= 1'b1;
            if (drained)
                redo <= 1'b0;
        end

    always @(posedge clk) begin
        n_stage <= stage_of(n_index);
        if (drained) begin
            n_index  <= redo ? v_index : p_index;
            n_offset <= redo ? v_offset : p_offset;
        end else if (advance) begin
            n_index  <= after(n_index);
            n_offset <= n_index == FINAL[IW-1:0] ? {OFFW{1'b0}} : n_offset + n_beats;
        end
        if (advance) begin
            p_stage  <= n_stage;
            p_buffer <= n_buffer;
        end
        if (turn) begin
            v_index  <= p_index;
            v_offset <= p_offset;
            v_stage  <= p_stage;
            v_buffer <= p_buffer;
        end
    end

    // ---- requests
    reg  [IW-1:0]     i_index;
    reg  [OFFW-1:0]   i_offset;
    reg  [SW-1:0]     i_stage;
    reg               looked; // i_stage is that of i_index
    wire [STAGES-1:0] room;   // a buffer of the stage is free and not yet meant for a page
    wire [STAGES-1:0] i_is;   // i_stage, one-hot
    wire              burst_ready, burst_fault;
    wire              want = looked && !clear && |(room & i_is);
    wire              claim = want && burst_ready;
    wire [OFFW-1:0]   i_beats = of_stage(i_stage, beats);

    always @(posedge clk) begin
        looked  <= !clear && !claim;
        i_stage <= stage_of(i_index);
        if (begin_run) begin
            i_index  <= n_index;
            i_offset <= n_offset;
        end else if (claim) begin
            i_index  <= after(i_index);
            i_offset <= i_index == FINAL[IW-1:0] ? {OFFW{1'b0}} : i_offset + i_beats;
        end
    end

    ts_page_burst #(.BYTES(BYTES), .ADDRW(ADDRW), .OFFW(OFFW), .BURSTS(BURSTS)) burst (
        .clk(clk), .rst(rst), .stop(clear), .quiet(quiet), .base(base),
        .s_valid(want), .s_ready(burst_ready), .s_offset(i_offset), .s_beats_less_1(of_stage(i_stage, beats_less_1)),
        .arvalid(arvalid), .arready(arready), .araddr(araddr), .arlen(arlen), .arrived(rvalid && rlast),
        .fault(burst_fault));

    assign arsize  = SIZE[2:0];
    assign arburst = 2'b01; // incrementing
    assign rready  = 1'b1;

    // ---- words
    wire w_valid;
    ts_page_unpack #(.LANES(LANES)) unpack (
        .clk(clk), .rst(rst), .clear(clear), .pending(pending), .next_words_less_1(n_shape[15:0]),
        .next_groups_less_1(n_shape[23:16]), .next_address(n_buffer ? n_span[15:0] : 16'd0),
        .next_number({{(32-IW){1'b0}}, n_index}), .r_valid(rvalid), .r_error(rresp[1]), .r_data(rdata), .turn(turn),
        .v_valid(v_valid), .v_bad(v_bad), .w_valid(w_valid), .w_group(w_group), .w_address(w_address), .w_data(w_data));
    wire unused = &{1'b0, rresp[0], n_shape[31:24], n_span[31:16]};

    // ---- stages
    wire [STAGES-1:0] miscounted;
    ts_watch #(.N(STAGES + 1)) watch (.clk(clk), .rst(rst), .bad({miscounted, burst_fault}), .fault(fault));
    genvar s;
    generate
        for (s = 0; s < STAGES; s = s + 1) begin : g_stage
            localparam [31:0] NUMBER = s;
            localparam [31:0] WRITES = {16'd0, WORDS[s*16 +: 16]} * {24'd0, GROUPS[s*8 +: 8]};
            localparam [31:0] BEATS  = WRITES + (WRITES + 32'd7) / 32'd8 + 32'd1;
            localparam [1:0]  ALL    = BUFFERS[s*2 +: 2];
            reg  [1:0] spare; // free buffers that no request is out for
            reg  [1:0] meant; // buffers that a page was requested for and not yet announced
            reg        mine;  // the page whose beats come is this stage's
            reg        place;
            wire       claimed = claim && i_is[s];
            wire       done = accepted && v_stage == NUMBER[SW-1:0];

            assign two[s]                        = ALL == 2'd2;
            assign beats[s*OFFW +: OFFW]         = BEATS;
            assign beats_less_1[s*OFFW +: OFFW]  = BEATS - 32'd1;
            assign span[s*OFFW +: OFFW]          = {16'd0, WORDS[s*16 +: 16]};
            assign shape[s*OFFW +: OFFW]         = {8'd0, GROUPS[s*8 +: 8] - 8'd1, WORDS[s*16 +: 16] - 16'd1};
            assign buffer[s]                     = place;
            assign n_is[s]                       = n_stage == NUMBER[SW-1:0];
            assign i_is[s]                       = i_stage == NUMBER[SW-1:0];
            assign room[s]                       = spare != 2'd0;
            assign w_stage[s]                    = w_valid && mine;
            assign miscounted[s]                 = spare > ALL || meant > ALL;

            always @(posedge clk) begin
                if (rst)
                    spare <= ALL;
                else if (drained)
                    spare <= spare + meant + {1'b0, freed[s]};
                else
                    spare <= spare + {1'b0, freed[s]} - {1'b0, claimed};
                meant <= rst || drained ? 2'd0 : meant + {1'b0, claimed} - {1'b0, done};
                if (rst)
                    place <= 1'b0;
                else if (turn && mine)
                    place <= ALL == 2'd2 && !p_buffer;
                else if (drained && redo && v_stage == NUMBER[SW-1:0])
                    place <= v_buffer;
                if (advance)
                    mine <= n_is[s];
                loaded[s] <= done && !rst;
            end
            if ((ALL != 2'd1 && ALL != 2'd2) || WORDS[s*16 +: 16] == 0 || GROUPS[s*8 +: 8] == 0) begin : g_guard
                ts_page_loader_needs_1_or_2_BUFFERS_and_pages_of_at_least_a_word guard ();
            end
        end
        if (STAGES > 256 || (LANES != 1 && LANES != 2 && LANES != 4 && LANES != 8)) begin : g_guard
            ts_page_loader_needs_LANES_of_1_2_4_or_8 guard ();
        end
    endgenerate

    always @(posedge clk)
        loaded_bad <= v_bad;
endmodule

`default_nettype wire
