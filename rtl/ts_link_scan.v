// Receiving side of a link, first half: finds the frames in the words that arrive, and lets through only packets that are whole and
// in their turn (docs/links.md). The words of a packet go to an event-atomic queue as they come, behind one record of what its header
// said; the frame's CRC releases or takes back the lot, so that no word is used before it has been checked.
//   q_*: to ts_queue. Record, 27 bits: {state, restart, lost, first, last, refused, error, length[7:0], event[11:0]}; `lost`: something
//   is missing before this packet; `restart`: the numbering begins anew here; `state`: a state frame that brought such news, no words
//   follow.
//   q_popped: a word has left the queue (of DEPTH words). The queue cannot overflow: frames beyond the limit are refused.
//   tell: this end's credit {taken, known, limit}. heard_*: the peer's, out of its state frames.
//   faults, one cycle each: [0] a frame was damaged, cut off, or its CRC is wrong, [1] words are missing before a good frame,
//   [2] a good frame out of turn (repeated) was dropped.
// Latency from a frame's CRC on the link to q_last: 7. One word a cycle. Cost: about 450 LUTs and 500 + 5 * LINKW flip-flops (without
// ts_link_crc; delay lines are shift registers).
`default_nettype none

module ts_link_scan #(
    parameter LINKW = 64,
    parameter DEPTH = 512 // 0: there is no queue; only state frames are listened to
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             link_valid,
    input  wire [LINKW-1:0] link_data,
    output reg              q_valid,
    output reg  [LINKW-1:0] q_data,
    output reg              q_last,
    output reg              q_drop,
    input  wire             q_popped,
    output reg              heard_valid,
    output reg  [17:0]      heard,
    output wire [17:0]      tell,
    output reg  [2:0]       faults
);
    localparam [5:0]  SYNC  = 6'b101101;
    localparam [31:0] WORDS = DEPTH;
    localparam        HW    = LINKW > 64 ? LINKW : 64; // a word, and with it the whole header that it may complete
    localparam        RW    = 27;

    generate
        if (DEPTH < 0 || DEPTH > 16384) begin : g_guard
            ts_link_scan_needs_DEPTH_of_at_most_16384 guard ();
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

    // ---- 1, 2: does it complete a header? If so, where does its frame end?
    reg           valid_1, like_1, valid_2, head_2;
    reg  [15:0]   syndrome_1, end_2;
    reg  [HW-1:0] word_1, word_2;
    wire [15:0]   syndrome;
    ts_crc #(.W(64), .SHIFT(0), .CW(16), .POLY(32'h3D65)) header_check (.data(word_0[63:0]), .rest(syndrome));
    always @(posedge clk) begin
        valid_1    <= !rst && valid_0;
        valid_2    <= !rst && valid_1;
        word_1     <= word_0;
        word_2     <= word_1;
        syndrome_1 <= syndrome;
        like_1     <= word_0[63:58] == SYNC && word_0[51:45] != 7'd0;
        head_2     <= like_1 && syndrome_1 == 16'd0;
        end_2      <= word_1[31:16] + (word_1[57] ? 16'd0 : {8'd0, word_1[51:44]});
    end

    // ---- 2: frames. What looks like a header within a frame is one only if it is the very one that must follow: then words of this
    // frame were lost. Payload may look like headers.
    reg        in_frame;    // between a header and its CRC
    reg  [7:0] left;      // words to come, the CRC included
    reg [15:0] frame_end; // position after the frame
    reg  [7:0] quiet;     // cycles without a word
    reg        lapsed;    // too many: what follows does not belong to this frame
    wire       begins_2 = valid_2 && head_2 && (!in_frame || word_2[31:16] == frame_end);
    wire       ends_2 = valid_2 && !begins_2 && in_frame && left == 8'd1;
    wire       body_2 = valid_2 && !begins_2 && in_frame && left != 8'd1;
    wire       breaks_2 = in_frame && (begins_2 || (!valid_2 && lapsed)); // the frame before has no end

    always @(posedge clk)
        if (rst) begin
            in_frame <= 1'b0;
            quiet  <= 8'd0;
            lapsed <= 1'b0;
        end else begin
            if (begins_2 || ends_2 || breaks_2)
                in_frame <= begins_2;
            quiet  <= valid_2 ? 8'd0 : quiet + 8'd1;
            lapsed <= !valid_2 && (lapsed || quiet == 8'd255);
        end
    always @(posedge clk)
        if (begins_2) begin
            left      <= word_2[51:44];
            frame_end <= end_2;
        end else if (valid_2)
            left <= left - 8'd1;

    // ---- 2 to 5: the CRC of the words before this one, against it, in eight parts
    wire [31:0]   crc;
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
            unequal[i] <= crc[i*4 +: 4] != word_4[i*4 +: 4];
    end

    // ---- 5: the frame's words. The one before is held until this one is there: the last must be written with the CRC's verdict.
    reg              is_state, is_fresh;
    reg  [15:0]      after;     // position after the frame
    reg              at_record; // `held` is the frame's record
    reg  [LINKW-1:0] held;
    reg  [17:0]      said;      // of a state frame
    wire             whole = ends && unequal == 8'd0;
    wire [RW-1:0]    record = {word[57], 2'b00, word[56:53], word[51:44], word[43:32]};
    wire [LINKW-1:0] record_word;
    assign record_word = {{(LINKW-RW){1'b0}}, record};
    always @(posedge clk) begin
        if (begins) begin
            is_state <= word[57];
            is_fresh <= word[57] && word[52];
        end
        if (body && is_state)
            said <= word[17:0];
        if (begins || (body && !is_state)) begin
            held      <= begins ? record_word : word[LINKW-1:0];
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
            same  <= word[31:16] == expected;
            gap   <= word[31:16] + ~expected + {15'd0, !word[57]};
            after <= word[31:16] + (word[57] ? 16'd0 : {8'd0, word[51:44]});
        end
        anew  <= is_fresh || !synced;
        ahead <= same || !gap[15];
        news  <= !same || !synced || (is_fresh && !taken);
        spare <= limit - after;
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
        faults      <= rst ? 3'd0 : {whole && !in_turn, good && synced && !same && !is_fresh, (ends && !whole) || breaks};
    end

    // ---- To the queue: with every word of a packet the one before it
    wire renewed = !synced || is_fresh;
    wire flaw = !same && !renewed;
    wire [LINKW-1:0] flags = {{(LINKW-RW){1'b0}}, 1'b0, renewed, flaw, {(RW-3){1'b0}}};
    always @(posedge clk) begin
        q_valid <= !rst && (breaks || (body && !is_state) || (ends && (!is_state || write_state)));
        q_drop  <= begins || !good;
        if (body && !is_state)
            q_drop <= 1'b0;
        q_last  <= ends && good;
        q_data  <= held | (at_record ? flags : {LINKW{1'b0}});
    end
endmodule

`default_nettype wire
