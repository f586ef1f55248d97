// Receiving side of a link, first half: finds the frames in the words that arrive, and lets through only packets that are whole and
// in their turn (docs/links.md). A frame begins wherever there is a word with the mark of a header, a sync and a check that are right:
// no other word is sent with the mark. The words of a packet go to an event-atomic queue as they come, behind one record of what its
// header said; the frame's CRC releases or takes back the lot, so that no word is used before it has been checked.
//   q_*: to ts_queue, LINKW - 1 bits: words without the mark. Record, 27 bits: {state, restart, lost, first, last, refused, error, length[7:0], event[11:0]}; `lost`: something
//   is missing before this packet; `restart`: the numbering begins anew here; `state`: a state frame that brought such news, no words
//   follow.
//   q_popped: a word has left the queue (of DEPTH words). The queue cannot overflow: frames beyond the limit are refused.
//   tell: this end's credit {taken, known, limit}. heard_*: the peer's, out of its state frames.
//   silent: more than TIMEOUT cycles have passed without a word of a frame; a frame that was coming in then is given up. Words between
//   frames do not count, nor, behind three damaged frames in a row, those of frames before their CRC.
//   faults, one cycle each: [0] a frame was damaged, cut off, or its CRC is wrong, [1] words are missing before a good frame,
//   [2] a good frame out of turn (repeated) was dropped.
// Latency from a frame's CRC on the link to q_last: 7. One word a cycle. Cost: about 400 LUTs and 500 + 5 * LINKW flip-flops (without
// ts_link_crc; delay lines are shift registers).
`default_nettype none

module ts_link_scan #(
    parameter LINKW   = 64,
    parameter DEPTH   = 512, // 0: there is no queue; only state frames are listened to
    parameter TIMEOUT = 8192 // cycles
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             link_valid,
    input  wire [LINKW-1:0] link_data,
    output reg              q_valid,
    output reg  [LINKW-2:0] q_data,
    output reg              q_last,
    output reg              q_drop,
    input  wire             q_popped,
    output reg              heard_valid,
    output reg  [17:0]      heard,
    output wire [17:0]      tell,
    output reg              silent,
    output reg  [2:0]       faults
);
    localparam [5:0]  SYNC  = 6'b101101;
    localparam [31:0] WORDS = DEPTH;
    localparam        HW    = LINKW > 64 ? LINKW : 64; // a word, and with it the whole header that it may complete
    localparam        RW    = 27;
    localparam [31:0] PATIENCE = TIMEOUT;
    localparam        TW    = $clog2(TIMEOUT + 1);

    generate
        if (DEPTH < 0 || DEPTH > 16384) begin : g_guard
            ts_link_scan_needs_DEPTH_of_at_most_16384 guard ();
        end
        if (TIMEOUT < 320) begin : g_time_guard // by then the longest packet has left the other half
            ts_link_scan_needs_TIMEOUT_of_at_least_320 guard ();
        end
    endgenerate

    // ---- 0: the word, from wherever it comes
    wire [HW-1:0] word_0;
    reg           valid_0;
    always @(posedge clk)
        valid_0 <= !rst && link_valid;
    generate
        if (LINKW == 32) begin : g_narrow
            reg [63:0] window; // this word and the valid one before it
            always @(posedge clk)
                if (link_valid)
                    window <= {window[31:0], link_data};
            assign word_0 = window;
        end else begin : g_wide
            reg [LINKW-1:0] word;
            always @(posedge clk)
                word <= link_data;
            assign word_0 = word;
        end
    endgenerate

    // ---- 1, 2: does it complete a header?
    reg           valid_1, like_1, valid_2, head_2;
    reg  [14:0]   syndrome_1;
    reg  [HW-1:0] word_1, word_2;
    wire [14:0]   syndrome;
    ts_crc #(.W(64), .SHIFT(0), .CW(15), .POLY(32'h4599)) header_check (.data(word_0[63:0]), .rest(syndrome));
    always @(posedge clk) begin
        valid_1    <= !rst && valid_0;
        valid_2    <= !rst && valid_1;
        word_1     <= word_0;
        word_2     <= word_1;
        syndrome_1 <= syndrome;
        like_1     <= word_0[HW-1] && word_0[63:58] == SYNC && !word_0[31] && word_0[51:45] != 7'd0;
        head_2     <= like_1 && syndrome_1 == 15'd0;
    end

    // ---- 2: frames. A header within a frame says that words of this one were lost; silence gives it up.
    reg        in_frame;   // between a header and its CRC
    reg  [7:0] left;       // words to come, the CRC included
    reg        was_silent; // in the cycle before
    wire       lapses = silent && !was_silent;
    wire       goes_on = in_frame && !lapses;
    wire       begins_2 = valid_2 && head_2;
    wire       ends_2 = valid_2 && !head_2 && goes_on && left == 8'd1;
    wire       body_2 = valid_2 && !head_2 && goes_on && left != 8'd1;
    wire       breaks_2 = in_frame && (begins_2 || lapses); // the frame before has no end

    always @(posedge clk)
        if (rst)
            in_frame <= 1'b0;
        else if (begins_2 || ends_2 || lapses)
            in_frame <= begins_2;
    always @(posedge clk)
        was_silent <= silent;
    always @(posedge clk)
        if (begins_2)
            left <= word_2[51:44];
        else if (valid_2)
            left <= left - 8'd1;

    // ---- 2 to 5: the CRC of the words before this one, against it, in eight parts
    wire [31:0]   crc;
    wire [31:0]   due = {LINKW != 32 && crc[31], crc[30:0]}; // the top bit of a word is the mark
    wire [HW-1:0] word_4;
    reg  [HW-1:0] word;
    reg  [7:0]    unequal;
    wire          begins, ends, body, breaks;
    ts_link_crc #(.LINKW(LINKW)) sum (.clk(clk), .s_valid(valid_2), .s_head(begins_2), .s_word(word_2[LINKW-1:0]), .crc(crc));
    ts_delay #(.WIDTH(HW), .CYCLES(2)) word_4_delay (.clk(clk), .in(word_2), .out(word_4));
    ts_pulse #(.CYCLES(3)) begins_delay (.clk(clk), .rst(rst), .in(begins_2), .out(begins));
    ts_pulse #(.CYCLES(3)) ends_delay (.clk(clk), .rst(rst), .in(ends_2), .out(ends));
    ts_pulse #(.CYCLES(3)) body_delay (.clk(clk), .rst(rst), .in(body_2), .out(body));
    ts_pulse #(.CYCLES(3)) breaks_delay (.clk(clk), .rst(rst), .in(breaks_2), .out(breaks));
    integer i;
    always @(posedge clk) begin
        word <= word_4;
        for (i = 0; i < 8; i = i + 1)
            unequal[i] <= due[i*4 +: 4] != word_4[i*4 +: 4];
    end

    // ---- 5: the frame's words. The one before is held until this one is there: the last must be written with the CRC's verdict.
    reg              is_state, is_fresh;
    reg  [15:0]      after;     // position after the frame
    reg              at_record; // `held` is the frame's record
    reg  [LINKW-2:0] held;
    reg  [17:0]      said;      // of a state frame
    wire             whole = ends && unequal == 8'd0;
    wire [RW-1:0]    record = {word[57], 2'b00, word[56:53], word[51:44], word[43:32]};
    wire [LINKW-2:0] record_word = {{(LINKW-1-RW){1'b0}}, record};
    always @(posedge clk) begin
        if (begins) begin
            is_state <= word[57];
            is_fresh <= word[57] && word[52];
        end
        if (body && is_state)
            said <= word[17:0];
        if (begins || (body && !is_state)) begin
            held      <= begins ? record_word : word[LINKW-2:0];
            at_record <= begins;
        end
    end

    // ---- Position: is the frame the next one, or how many words were lost before it? Known by the time its CRC arrives.
    reg         synced;   // a good frame has set the position
    reg         taken;    // the last good frame was a fresh one: this end has taken over the peer's numbering
    reg  [15:0] expected;
    reg         same;     // the frame is the next one
    reg  [15:0] gap;      // words that it skips (a state frame: less the place that its record takes)
    reg  [15:0] spare;    // room behind it
    reg         anew;     // it sets the position, whatever that is
    reg         ahead;    // it is not behind
    reg         news;     // a state frame worth a record
    reg  [15:0] passed, skipped, limit;
    wire        in_turn = anew || (ahead && !spare[15]);
    wire        good = whole && in_turn;
    wire        unused = &{1'b0, word, spare};

    always @(posedge clk) begin
        if (begins) begin
            same  <= word[30:15] == expected;
            gap   <= word[30:15] + ~expected + {15'd0, !word[57]};
            after <= word[30:15] + (word[57] ? 16'd0 : {8'd0, word[51:44]});
        end
        anew  <= is_fresh || !synced;
        ahead <= same || !gap[15];
        news  <= !same || !synced || (is_fresh && !taken);
        spare <= limit - after;
    end

    // ---- Silence
    reg  [1:0]    doubt; // frames in a row that were damaged, up to 3
    reg  [TW-1:0] patience;
    wire          bad = (ends && !whole) || breaks;
    wire          counts = LINKW != 32 || !valid_2 || !word_2[31]; // the first half of a header is known with the second
    wire          sound = doubt == 2'd3 ? good : begins_2 || body_2 || ends_2;
    always @(posedge clk)
        if (rst) begin
            doubt    <= 2'd0;
            patience <= PATIENCE[TW-1:0];
            silent   <= 1'b0;
        end else begin
            if (good)
                doubt <= 2'd0;
            else if (bad && doubt != 2'd3)
                doubt <= doubt + 2'd1;
            if (sound)
                patience <= PATIENCE[TW-1:0];
            else if (counts)
                patience <= patience - 1'b1;
            silent <= !sound && (silent || (counts && patience == {TW{1'b0}}));
        end

    wire write_state = good && is_state && news;
    always @(posedge clk)
        if (rst) begin
            synced   <= 1'b0;
            taken    <= 1'b0;
            expected <= 16'd0;
            passed   <= 16'd0;
            skipped  <= WORDS[15:0];
        end else begin
            if (good) begin
                synced   <= 1'b1;
                taken    <= is_fresh;
                expected <= after;
            end
            // What was lost needs no room, what has left the queue needs none any more. Without a queue records need none.
            if (good && (!is_state || news) && WORDS != 32'd0)
                skipped <= skipped + gap;
            if (q_popped)
                passed <= passed + 16'd1;
        end
    always @(posedge clk)
        limit <= passed + skipped;
    assign tell = {taken, synced, limit};

    always @(posedge clk) begin
        heard_valid <= !rst && good && is_state;
        heard       <= said;
        faults      <= rst ? 3'd0 : {whole && !in_turn, good && synced && !same && !is_fresh, bad};
    end

    // ---- To the queue: with every word of a packet the one before it
    wire renewed = !synced || is_fresh;
    wire flaw = !same && !renewed;
    wire [LINKW-2:0] flags = {{(LINKW-1-RW){1'b0}}, 1'b0, renewed, flaw, {(RW-3){1'b0}}};
    always @(posedge clk) begin
        q_valid <= !rst && (breaks || (body && !is_state) || (ends && (!is_state || write_state)));
        q_drop  <= begins || !good;
        if (body && !is_state)
            q_drop <= 1'b0;
        q_last  <= ends && good;
        q_data  <= held | (at_record ? flags : {(LINKW-1){1'b0}});
    end

`ifdef FORMAL
    // A frame begins only with a word that has the mark; on links of 32 bits with one that has it and one behind it that has not.
    reg                f_started = 0;
    reg [2*LINKW+1:0]  f_0 = 0, f_1 = 0, f_2 = 0; // two words of the link, the later one low, and whether each has come
    wire [2*LINKW-1:0] f_words = {f_0[LINKW-1:0], link_data};
    always @(posedge clk) begin
        f_started <= 1;
        if (!f_started)
            assume (rst && !link_valid);
        if (link_valid)
            f_0 <= {f_0[2*LINKW], 1'b1, f_words};
        f_1 <= f_0;
        f_2 <= f_1;
        if (f_started) begin
            if (LINKW == 32) begin
                assert (!f_0[2*LINKW] || word_0[31:0] == f_0[31:0]);
                assert (!f_0[2*LINKW+1] || (f_0[2*LINKW] && word_0 == f_0[63:0]));
                assert (!f_1[2*LINKW+1] || word_1 == f_1[63:0]);
            end else begin
                assert (!valid_0 || word_0[LINKW-1:0] == f_0[LINKW-1:0]);
                assert (!valid_1 || word_1[LINKW-1:0] == f_1[LINKW-1:0]);
            end
            assert (!valid_1 || !like_1 || (word_1[HW-1] && !word_1[31]));
            assert (!begins_2 || (LINKW == 32 ? !f_2[2*LINKW+1] || (f_2[2*LINKW-1] && !f_2[LINKW-1]) : f_2[LINKW-1]));
        end
    end
`endif
endmodule

`default_nettype wire
