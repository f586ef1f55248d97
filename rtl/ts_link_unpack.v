// Receiving side of a link, second half: events out of the packets that ts_link_scan let through (docs/links.md). Every event that the
// sender began comes out once, in order, with exactly one m_last; at most NMAX tokens. m_error and m_refused belong to m_last.
//   Whole events come out unchanged. An event of which something is missing ends at once, with a token of zeros that has m_last and
//   m_error; what still arrives of it is swallowed. An event of which nothing arrived is such a token alone. So is one whose first
//   packet is missing. An event longer than NMAX ends with token NMAX, m_error set.
//   silent: the link says nothing any more. An open event then counts as missing its rest, once all that came before has been taken.
//   fault: one cycle for every event that ended so.
// Latency from a packet's record on q_* to its first token: 2 + WPT; one word a cycle, length + 1 cycles a packet.
// Cost: about 250 LUTs, TOKW + WPT + 110 flip-flops.
`default_nettype none

module ts_link_unpack #(
    parameter TOKW  = 640,
    parameter WORDW = 63, // bits of a word
    parameter NMAX  = 512
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             silent,
    input  wire             q_valid,
    output wire             q_ready,
    input  wire [WORDW-1:0] q_data,
    output reg              m_valid,
    input  wire             m_ready,
    output reg  [TOKW-1:0]  m_data,
    output reg              m_last,
    output reg              m_refused,
    output reg              m_error,
    output reg              fault
);
    localparam           WPT    = (TOKW + WORDW - 1) / WORDW;
    localparam           NW     = NMAX > 1 ? $clog2(NMAX) : 1;
    localparam [31:0]    BEFORE = NMAX > 1 ? NMAX - 2 : 0;
    localparam [WPT-1:0] FIRST  = 1;

    generate
        if (NMAX < 1 || WORDW < 27) begin : g_guard
            ts_link_unpack_needs_NMAX_of_at_least_1_and_words_of_27_bits guard ();
        end
    endgenerate

    localparam [2:0] RECORD = 3'd0, COMPARE = 3'd1, CHECK = 3'd2, TOKENS = 3'd3, SKIP = 3'd4;
    reg  [2:0]     state;
    reg            open;   // an event has begun and not ended
    reg  [11:0]    number; // of the open event, or of the next one
    reg  [11:0]    prior; // number - 1
    reg  [NW-1:0]  n;      // tokens of the open event
    reg            full;   // n == NMAX - 1: the next one is the last in any case
    reg  [4:0]     rest;   // cycles without a packet, up to 16: longer than there is a gap while the queue holds one
    reg  [WPT-1:0] place;  // of the next word in its token

    // The record.
    reg            r_state, r_restart, r_lost, r_first, r_last, r_refused, r_error;
    reg  [7:0]     left;   // words of the packet to come, and 1
    reg  [11:0]    r_event;
    reg            same, past, ahead; // r_event is `number`; is `before`; is not behind `number`

    wire           move = !m_valid || m_ready;
    wire           pop = q_valid && q_ready;
    wire           put = pop && state == TOKENS;
    wire           whole = put && place[WPT-1];
    wire           at_final = left == 8'd2;
    wire           real_end = r_last && at_final;
    wire           ends = whole && (real_end || full);
    wire [11:0]    q_event = q_data[11:0];
    wire [11:0]    q_ahead = q_event - number, r_ahead = r_event - number;

    // What the record means. An event that lacks its beginning is missing, what follows of it is past.
    wire           goes_on = same && !r_restart && (open ? !r_first && !r_lost : r_first);
    wire           missing = open || (!r_restart && ahead);
    wire           fill = move && (state == CHECK ? !goes_on && missing : state == RECORD && open && silent && rest[4] && !q_valid);
    wire           renumber = state == CHECK && !goes_on && !missing && (r_restart || !past);
    wire           next_event = fill || ends;

    assign q_ready = state == RECORD || state == SKIP || (state == TOKENS && move);

    always @(posedge clk)
        if (rst)
            state <= RECORD;
        else
            case (state)
                RECORD:  state <= q_valid ? CHECK : RECORD;
                COMPARE: state <= CHECK;
                CHECK:
                    if (goes_on)
                        state <= r_state ? RECORD : TOKENS;
                    else if (missing)
                        state <= fill ? COMPARE : CHECK;
                    else if (renumber)
                        state <= COMPARE;
                    else
                        state <= r_state ? RECORD : SKIP;
                TOKENS:
                    if (pop && at_final)
                        state <= RECORD;
                    else if (ends)
                        state <= SKIP;
                default: state <= pop && at_final ? RECORD : SKIP;
            endcase

    always @(posedge clk)
        if (rst) begin
            open   <= 1'b0;
            number <= 12'd0;
            prior <= 12'hFFF;
            n      <= {NW{1'b0}};
            full   <= NMAX == 1;
        end else begin
            if (next_event) begin
                open   <= 1'b0;
                number <= number + 12'd1;
                prior <= number;
                n      <= {NW{1'b0}};
                full   <= NMAX == 1;
            end else begin
                if (state == CHECK && goes_on && !r_state)
                    open <= 1'b1;
                if (whole) begin
                    n    <= n + 1'b1;
                    full <= n == BEFORE[NW-1:0];
                end
            end
            if (renumber) begin
                number <= r_event;
                prior <= r_event - 12'd1;
            end
        end

    always @(posedge clk) begin
        if (pop && state == RECORD) begin
            {r_state, r_restart, r_lost, r_first, r_last, r_refused, r_error} <= q_data[26:20];
            r_event <= q_event;
            same    <= q_event == number;
            past    <= q_event == prior;
            ahead   <= !q_ahead[11];
        end else if (state == COMPARE) begin
            same  <= r_event == number;
            past  <= r_event == prior;
            ahead <= !r_ahead[11];
        end else if (renumber)
            r_restart <= 1'b0;
        if (pop)
            left <= state == RECORD ? q_data[19:12] : left - 8'd1;
    end

    always @(posedge clk)
        if (rst || state != RECORD || q_valid)
            rest <= 5'd0;
        else if (!rest[4])
            rest <= rest + 5'd1;

    // ---- Tokens
    wire [WPT:0] rotated = {place, place[WPT-1]};
    always @(posedge clk)
        if (state == CHECK)
            place <= FIRST;
        else if (put)
            place <= rotated[WPT-1:0];
    wire unused = &{1'b0, rotated[WPT], q_ahead, r_ahead, q_data};

    genvar i;
    generate
        for (i = 0; i < WPT; i = i + 1) begin : g_word
            localparam W = TOKW - i * WORDW < WORDW ? TOKW - i * WORDW : WORDW;
            always @(posedge clk)
                if (fill || (put && place[i]))
                    m_data[i*WORDW +: W] <= fill ? {W{1'b0}} : q_data[W-1:0];
        end
    endgenerate

    always @(posedge clk)
        if (rst) begin
            m_valid <= 1'b0;
            fault   <= 1'b0;
        end else begin
            m_valid <= whole || fill || !move;
            fault   <= fill || (ends && !real_end);
        end
    always @(posedge clk)
        if (whole || fill) begin
            m_last    <= fill || ends;
            m_refused <= !fill && real_end && r_refused;
            m_error   <= fill || (ends && (!real_end || r_error));
        end
endmodule

`default_nettype wire
