// Sending side of a link, second half: packets and this end's credit become frames (docs/links.md), header, words and CRC, one word
// in every cycle in which link_slot allows one. A word's top bit, the mark, is on headers and on nothing else. Data go out only as far
// as the peer's credit reaches, and only once the peer has taken over this end's numbering (after reset frames say `fresh` until it
// says so).
//   tell: credit of this end's receiver {taken, known, limit}; it goes out in a state frame when the limit has advanced by CREDIT
//   words, and every BEAT cycles in any case: it is absolute, so that a lost frame is made good by the next.
//   heard_*: the same from the peer.
// Latency from d_valid to the first word: 7 where there is credit; from link_slot to its word: 4. Length + 2 cycles a frame (one more
// with LINKW = 32), without a gap between frames. Cost: about 300 LUTs and 350 flip-flops besides ts_link_crc.
`default_nettype none

module ts_link_send #(
    parameter LINKW  = 64,
    parameter CREDIT = 128,
    parameter BEAT   = 1024
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             d_valid,
    output wire             d_take,
    input  wire [7:0]       d_length,
    input  wire [3:0]       d_flags,
    input  wire [11:0]      d_event,
    output reg              d_want,
    input  wire             p_valid,
    output wire             p_ready,
    input  wire [LINKW-2:0] p_data,
    input  wire [17:0]      tell,
    input  wire             heard_valid,
    input  wire [17:0]      heard,
    input  wire             link_slot,
    output reg              link_valid,
    output reg  [LINKW-1:0] link_data
);
    localparam [5:0]  SYNC = 6'b101101;
    localparam [31:0] STEP = CREDIT;
    localparam [31:0] LAST = BEAT - 1;
    localparam        BW   = $clog2(BEAT);
    localparam        HW   = LINKW > 64 ? LINKW : 64;

    generate
        if (CREDIT < 1 || CREDIT > 16384 || BEAT < 16) begin : g_guard
            ts_link_send_needs_CREDIT_of_at_most_16384_and_BEAT_of_at_least_16 guard ();
        end
    endgenerate

    // ---- What the peer said
    reg        opening; // it has not taken over this end's numbering yet
    reg [15:0] limit;   // the position up to which it has room
    always @(posedge clk)
        if (rst)
            opening <= 1'b1;
        else if (heard_valid && heard[17])
            opening <= 1'b0;
    always @(posedge clk)
        if (heard_valid && heard[16])
            limit <= heard[15:0];

    // ---- When to tell this end's credit
    reg  [15:0]   told, news;
    reg  [BW-1:0] beat;
    reg           due;
    reg  [2:0]    calm; // after a state frame, until `news` is measured against it
    wire          take, take_state;
    always @(posedge clk)
        if (rst) begin
            beat <= {BW{1'b0}};
            due  <= 1'b1;
            calm <= 3'b000;
        end else begin
            calm <= {calm[1:0], take_state};
            beat <= take_state || beat == LAST[BW-1:0] ? {BW{1'b0}} : beat + 1'b1;
            due  <= !take_state && (due || beat == LAST[BW-1:0] || (calm == 3'b000 && tell[16] && news >= STEP[15:0]));
        end
    always @(posedge clk) begin
        news <= tell[15:0] - told;
        if (take_state)
            told <= tell[15:0];
    end

    // ---- The next frame, from whatever is there now: 1, its header without the check; 2, whether it may go, and the check
    reg  [15:0] sent;          // position after the frames that have gone out
    reg  [11:0] event_next;    // event of the next packet
    reg         event_begins;  // which will be its event's first
    reg         valid_1, state_1, last_1;
    reg  [11:0] event_1;
    reg  [48:0] header_1;
    reg  [15:0] end_1;
    wire        data = d_valid && !opening && !due;
    wire [14:0] check;
    reg         valid_2, state_2, last_2;
    reg  [11:0] event_2;
    reg  [63:0] header_2;
    reg  [15:0] end_2;
    wire [15:0] left_over = limit - end_1;

    wire unused_room = &{1'b0, left_over};
    ts_crc #(.W(49), .SHIFT(15), .CW(15), .POLY(32'h4599)) header_check (.data(header_1), .rest(check));

    always @(posedge clk)
        if (rst) begin
            valid_1 <= 1'b0;
            valid_2 <= 1'b0;
        end else begin
            valid_1 <= !take && (due || data);
            valid_2 <= !take && valid_1 && (state_1 || !left_over[15]);
        end
    always @(posedge clk) begin
        state_1  <= due;
        last_1   <= d_flags[2];
        event_1  <= d_event;
        end_1    <= sent + (due ? 16'd0 : {8'd0, d_length});
        header_1 <= due ? {SYNC, 1'b1, event_begins, 3'b000, opening, 8'd2, event_next, 1'b0, sent}
                        : {SYNC, 1'b0, d_flags, opening, d_length, d_event, 1'b0, sent};
        state_2  <= state_1;
        last_2   <= last_1;
        event_2  <= event_1;
        end_2    <= end_1;
        header_2 <= {header_1, check};
    end

    // ---- Frames
    localparam [1:0] HEADER = 2'd0, LOW = 2'd1, BODY = 2'd2, CRC = 2'd3;
    reg  [1:0]  part;
    reg         is_state;
    reg  [7:0]  left; // words up to the CRC, that included
    wire        body = part == BODY && (is_state || p_valid);
    wire        go = link_slot && (part == HEADER ? valid_2 : part != BODY || body);

    assign take       = go && part == HEADER;
    assign take_state = take && state_2;
    assign d_take     = take && !state_2;
    assign p_ready    = link_slot && part == BODY && !is_state;

    always @(posedge clk)
        if (rst) begin
            part         <= HEADER;
            sent         <= 16'd0;
            event_next   <= 12'd0;
            event_begins <= 1'b1;
            d_want       <= 1'b0;
        end else begin
            if (go)
                case (part)
                    HEADER:  part <= LINKW == 32 ? LOW : BODY;
                    LOW:     part <= BODY;
                    BODY:    part <= left == 8'd2 ? CRC : BODY;
                    default: part <= HEADER;
                endcase
            if (d_take) begin
                sent         <= end_2;
                event_next   <= event_2 + {11'd0, last_2};
                event_begins <= last_2;
            end
            // Early enough for the next packet to follow without a gap.
            d_want <= part == HEADER ? !take : left < 8'd8;
        end
    always @(posedge clk)
        if (take) begin
            is_state <= state_2;
            left     <= header_2[51:44];
        end else if (go && part == BODY)
            left <= left - 8'd1;

    // ---- Words on their way out, while the CRC is made of those before them
    reg              item_valid, item_head, item_crc;
    reg  [LINKW-1:0] item;
    wire [HW-1:0]    header_word;
    wire [LINKW-1:0] top_word, low_word, state_word;
    generate
        if (LINKW == 32) begin : g_narrow
            reg [31:0] low;
            always @(posedge clk)
                if (take)
                    low <= header_2[31:0];
            assign header_word = {32'd0, header_2[63:32]};
            assign low_word    = low;
            assign state_word  = {14'd0, tell};
        end else begin : g_wide
            if (LINKW > 64) begin : g_pad
                assign header_word = {1'b1, {(LINKW-65){1'b0}}, header_2};
            end else begin : g_exact
                assign header_word = header_2;
            end
            assign low_word   = {LINKW{1'b0}};
            assign state_word = {{(LINKW-18){1'b0}}, tell};
        end
    endgenerate
    assign top_word = header_word[LINKW-1:0];

    always @(posedge clk)
        item_valid <= !rst && go;
    always @(posedge clk) begin
        item_head <= part == (LINKW == 32 ? LOW : HEADER);
        item_crc  <= part == CRC;
        item      <= part == HEADER ? top_word : part == LOW ? low_word : is_state ? state_word : {1'b0, p_data};
    end

    wire [31:0]      crc;
    wire             out_valid, out_crc;
    wire [LINKW-1:0] out;
    ts_link_crc #(.LINKW(LINKW)) sum (
        .clk(clk), .s_valid(item_valid && !item_crc), .s_head(item_head), .s_word(item), .crc(crc));
    ts_pulse #(.CYCLES(2)) out_valid_delay (.clk(clk), .rst(rst), .in(item_valid), .out(out_valid));
    ts_delay #(.WIDTH(LINKW + 1), .CYCLES(2)) out_delay (.clk(clk), .in({item_crc, item}), .out({out_crc, out}));
    wire [LINKW-1:0] crc_word;
    generate
        if (LINKW == 32) begin : g_crc_narrow
            wire unused = &{1'b0, header_word[HW-1:32], crc[31]};
            assign crc_word = {1'b0, crc[30:0]};
        end else begin : g_crc_wide
            assign crc_word = {{(LINKW-32){1'b0}}, crc};
        end
    endgenerate

    always @(posedge clk)
        link_valid <= !rst && out_valid;
    always @(posedge clk)
        link_data <= out_crc ? crc_word : out;

`ifdef FORMAL
    // The mark, a word's top bit, is on headers, on links of 32 bits on their first word, and on nothing else, whatever p_data is.
    reg       f_started = 0;
    reg [3:0] f_header;
    always @(posedge clk) begin
        f_started <= 1;
        f_header  <= {f_header[2:0], part == HEADER};
        if (!f_started)
            assume (rst);
        else begin
            assert (!valid_1 || (header_1[48:43] == SYNC && !header_1[15 + 1]));
            assert (!valid_2 || (header_2[63:58] == SYNC && !header_2[31]));
            assert (part != LOW || (LINKW == 32 && !low_word[LINKW-1]));
            assert (!item_valid || (item[LINKW-1] == f_header[0] && !(item_crc && f_header[0])));
            assert (!link_valid || link_data[LINKW-1] == f_header[3]);
        end
    end
`endif
endmodule

`default_nettype wire
