// Sending side of a link, first half: cuts tokens into link words and gathers them into packets (docs/links.md). A token stays on the
// stream's input while its WPT = ceil(TOKW / WORDW) words are taken from it, lowest bits first, one a cycle.
//   Packets: a packet is closed when it ends its event, when it holds PTOK = PACKET / WPT tokens (at least 1), or when the sender
//   wants one (d_want) and nothing is waiting: an idle link sends each token at once, a busy one fills its packets.
//   d_*: one closed packet: d_length = its words + 1, flags {first, last, refused, error}, number of its event. It may be closed
//   before its words have come out of p_*, which they do at one a cycle.
// Latency from s_valid to p_valid: 2 (one more for WPT > 16), to d_valid 2. Memory: PTOK + ceil(8 / WPT) tokens in words of WORDW bits.
// Cost: about ceil(WPT / 4) * WORDW LUTs for the selection, 120 for control, and the memory.
`default_nettype none

module ts_link_pack #(
    parameter TOKW   = 640,
    parameter WORDW  = 63, // bits of a word
    parameter PACKET = 128, // words of the longest packet
    parameter STYLE  = "distributed"
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [TOKW-1:0]  s_data,
    input  wire             s_last,
    input  wire             s_refused,
    input  wire             s_error,
    input  wire             d_want,
    output reg              d_valid,
    input  wire             d_take,
    output reg  [7:0]       d_length,
    output reg  [3:0]       d_flags,
    output reg  [11:0]      d_event,
    output wire             p_valid,
    input  wire             p_ready,
    output wire [WORDW-1:0] p_data
);
    localparam        WPT    = (TOKW + WORDW - 1) / WORDW;
    localparam        PTOK   = PACKET / WPT > 1 ? PACKET / WPT : 1;
    localparam        TOKENS = PTOK + (7 + WPT) / WPT; // in the memory: a full packet, while the last 8 words of the one before leave
    localparam        DEPTH  = TOKENS * WPT > 1 ? TOKENS * WPT : 2;
    localparam        CW     = $clog2(DEPTH + 1);
    localparam        IW     = WPT > 1 ? $clog2(WPT) : 1;
    localparam        UW     = $clog2(TOKENS + 1);
    localparam [31:0] FINAL  = WPT - 1;
    localparam [31:0] STEP   = WPT;
    localparam [31:0] FULL   = (PTOK - 1) * WPT + 1; // length before the token that fills the packet
    localparam [31:0] ALL    = TOKENS;
    localparam [31:0] ALL_1  = TOKENS - 1;

    generate
        if (PTOK * WPT > 254 || TOKW < 1) begin : g_guard
            ts_link_pack_needs_packets_of_at_most_254_words guard ();
        end
    endgenerate

    // ---- A token and its words
    reg  [IW-1:0] index; // of the next word
    reg           begun; // index != 0
    reg           room;  // for a whole token in the memory
    reg  [UW-1:0] used;  // tokens that have a place there
    reg           complete; // the packet that is being gathered
    reg           any;   // the packet has a token
    wire          move = any && !d_valid && (complete || d_want); // it is closed
    wire          may = begun || (room && (!complete || move));
    wire          word = s_valid && may;
    wire          start = word && !begun;
    wire          at_final = index == FINAL[IW-1:0];
    wire          freed; // the last word of a token leaves

    assign s_ready = may && at_final;

    always @(posedge clk)
        if (rst) begin
            index <= {IW{1'b0}};
            begun <= 1'b0;
            room  <= 1'b1;
            used  <= {UW{1'b0}};
        end else begin
            if (word) begin
                index <= at_final ? {IW{1'b0}} : index + 1'b1;
                begun <= !at_final;
            end
            if (start && !freed)
                used <= used + 1'b1;
            if (freed && !start)
                used <= used - 1'b1;
            room <= freed || !(used == ALL[UW-1:0] || (start && used == ALL_1[UW-1:0]));
        end

    // ---- The packet that is being gathered
    reg         in_event; // an event has begun and not ended
    reg         first, last, refused, error;
    reg  [7:0]  length;
    reg  [11:0] event_now;
    reg  [11:0] event_of;
    wire        fresh = move || !any;
    wire [7:0]  prior = fresh ? 8'd1 : length;

    always @(posedge clk)
        if (rst) begin
            any       <= 1'b0;
            complete  <= 1'b0;
            in_event  <= 1'b0;
            event_now <= 12'd0;
            d_valid   <= 1'b0;
        end else begin
            any       <= start || (any && !move);
            complete  <= start ? s_last || prior == FULL[7:0] : complete && !move;
            if (start) begin
                in_event  <= !s_last;
                event_now <= event_now + {11'd0, s_last};
            end
            d_valid   <= move || (d_valid && !d_take);
        end

    always @(posedge clk) begin
        if (start) begin
            length   <= prior + STEP[7:0];
            first    <= fresh ? !in_event : first;
            last     <= s_last;
            refused  <= s_last && s_refused;
            error    <= s_last && s_error;
            event_of <= event_now;
        end
        if (move) begin
            d_length <= length;
            d_flags  <= {first, last, refused, error};
            d_event  <= event_of;
        end
    end

    // ---- Selection of the word: of 16, then of the groups of 16
    localparam GROUPS = (WPT + 15) / 16;
    wire [GROUPS*16*WORDW:0]   padded = {{(GROUPS*16*WORDW+1-TOKW){1'b0}}, s_data};
    wire                       unused_top = padded[GROUPS*16*WORDW];
    wire [3:0]                 index_low;
    reg  [GROUPS*WORDW-1:0]    group;
    wire [WORDW-1:0]           selected;
    wire                       selected_valid;
    genvar                     b, g, k;
    generate
        if (IW < 4) begin : g_short
            assign index_low = {{(4-IW){1'b0}}, index};
        end else begin : g_long
            assign index_low = index[3:0];
        end
        for (g = 0; g < GROUPS; g = g + 1) begin : g_group
            for (b = 0; b < WORDW; b = b + 1) begin : g_bit
                wire [15:0] of_words;
                for (k = 0; k < 16; k = k + 1) begin : g_word
                    assign of_words[k] = padded[(g*16+k)*WORDW+b];
                end
                always @(posedge clk)
                    group[g*WORDW+b] <= of_words[index_low];
            end
        end

        if (GROUPS == 1) begin : g_one
            ts_pulse #(.CYCLES(1)) valid_delay (.clk(clk), .rst(rst), .in(word), .out(selected_valid));
            assign selected = group;
        end else begin : g_many
            localparam      HW = IW - 4;
            reg [HW-1:0]    index_high;
            reg [WORDW-1:0] out;
            always @(posedge clk)
                index_high <= index[IW-1:4];
            for (b = 0; b < WORDW; b = b + 1) begin : g_high
                wire [GROUPS-1:0] of_groups;
                for (k = 0; k < GROUPS; k = k + 1) begin : g_row
                    assign of_groups[k] = group[k*WORDW+b];
                end
                always @(posedge clk)
                    out[b] <= of_groups[index_high];
            end
            ts_pulse #(.CYCLES(2)) valid_delay (.clk(clk), .rst(rst), .in(word), .out(selected_valid));
            assign selected = out;
        end
    endgenerate

    // ---- The memory: a token has begun only when all its words had a place
    wire          always_ready, words_fault;
    wire [CW-1:0] count;
    ts_fifo #(.WIDTH(WORDW), .DEPTH(DEPTH), .STYLE(STYLE)) words (
        .clk(clk), .rst(rst), .s_valid(selected_valid), .s_ready(always_ready), .s_data(selected),
        .m_valid(p_valid), .m_ready(p_ready), .m_data(p_data), .count(count), .fault(words_fault));

    reg [IW-1:0] index_out;
    assign freed = p_valid && p_ready && index_out == FINAL[IW-1:0];
    always @(posedge clk)
        if (rst)
            index_out <= {IW{1'b0}};
        else if (p_valid && p_ready)
            index_out <= freed ? {IW{1'b0}} : index_out + 1'b1;

`ifdef FORMAL
    // The memory never turns a word away: the places of `used` tokens are the words in it, those on their way to it, those of the
    // token at the input that are still to come and those of the token at the output that have left.
    reg         f_started = 0, f_first = 0;
    wire [31:0] f_coming = begun ? WPT - index : 0;
    wire [31:0] f_held = {{(32-CW){1'b0}}, count} + selected_valid + f_coming + {{(32-IW){1'b0}}, index_out};
    always @(posedge clk) begin
        f_started <= 1;
        f_first   <= rst;
        if (!f_started)
            assume (rst);
        else begin
            assert (begun == (index != 0) && index <= FINAL && index_out <= FINAL);
            assert (used <= ALL && room == (used != ALL || f_first));
            assert (f_held == used * WPT);
            assert (!selected_valid || always_ready || f_first);
            // A packet that is described has tokens, and no more than fit.
            assert (!any || (length > 1 && length <= PTOK * WPT + 1 && (length - 1) % WPT == 0));
            assert (!any || complete || length != PTOK * WPT + 1);
            assert (!d_valid || (d_length > 1 && d_length <= PTOK * WPT + 1));
            assert (!complete || any);
        end
    end
`else
    wire unused = &{1'b0, always_ready, words_fault, count};
`endif
endmodule

`default_nettype wire
