// In front of a paged stage: lets a token pass only while the page for its layer is loaded. Pages are used in the order in which the
// loader announces them, each for the tokens of one layer: the token tagged last (and not dropped) is the last one of its page. Of a
// refused event no token is tagged last, so that the next event's first layer finds its page still there.
//
// Data and tag go past this module; s_/m_ are the two ends of their handshake, without delay. `page` (the buffer to read, 0 or 1) and
// `page_bad` (the page failed its check for good) belong to the token that is offered. o_ watches the stage's output (o_valid only
// with a token's last beat): when the last token of a page has left, `freed` hands its buffer back to the loader, a cycle later.
//
// The loader announces a page (`loaded`, with loaded_bad) only in a buffer that is free: at most BUFFERS pages are announced and not
// yet freed. m_ready must not wait for m_valid. A page that is announced in cycle t lets tokens pass from t + 1; pages that are
// there follow each other without a bubble.
//   hit, hit_event: a token has taken a bad page, and the number of its event modulo 2^EVW; an event uses TURNS pages of the stage
//   stalls: cycles in which a token waited for its page, modulo 2^32
//   late: some page was waited for in more than LATE cycles (0: not watched); stays up until reset
`default_nettype none

module ts_page_gate #(
    parameter BUFFERS = 2, // page buffers of the stage, 1 or 2
    parameter TURNS   = 1,
    parameter LW      = 1,
    parameter TAGW    = LW + 2,
    parameter EVW     = 3,
    parameter LATE    = 0
) (
    input  wire            clk,
    input  wire            rst,
    input  wire            s_valid,
    output wire            s_ready,
    input  wire [TAGW-1:0] s_tag,
    output wire            m_valid,
    input  wire            m_ready,
    output reg             page,
    output wire            page_bad,
    input  wire            o_valid,
    input  wire            o_ready,
    input  wire [TAGW-1:0] o_tag,
    input  wire            loaded,
    input  wire            loaded_bad,
    output reg             freed,
    output reg             hit,
    output reg  [EVW-1:0]  hit_event,
    output reg  [31:0]     stalls,
    output reg             late,
    output wire            fault // ts_watch: a page was announced in a buffer that was not free
);
    localparam        TW   = TURNS > 1 ? $clog2(TURNS) : 1;
    localparam [31:0] LAST = TURNS - 1;

    generate
        if ((BUFFERS != 1 && BUFFERS != 2) || TURNS < 1 || TAGW < LW + 2) begin : g_guard
            ts_page_gate_needs_1_or_2_BUFFERS_and_TURNS_of_at_least_1 guard ();
        end
    endgenerate

    // ---- pages that are loaded and whose last token has not passed
    reg  [1:0]     count;
    reg            open;   // count != 0, from a register of its own
    reg            next;   // the buffer that the next announced page is in
    reg  [1:0]     broken; // of each buffer
    reg  [TW-1:0]  turn;   // pages that this event has used up
    reg  [EVW-1:0] event_now;
    wire           pass = s_valid && m_ready && open;
    wire           turned = pass && s_tag[LW] && !s_tag[LW+1]; // the last token of its page
    wire           left = o_valid && o_ready && o_tag[LW] && !o_tag[LW+1];
    wire           waits = s_valid && !open;

    assign m_valid  = s_valid && open;
    assign s_ready  = m_ready && open;
    assign page_bad = broken[page];

    always @(posedge clk)
        if (rst) begin
            count     <= 2'd0;
            open      <= 1'b0;
            page      <= 1'b0;
            next      <= 1'b0;
            broken    <= 2'b00;
            freed     <= 1'b0;
            turn      <= {TW{1'b0}};
            event_now <= {EVW{1'b0}};
            hit       <= 1'b0;
            stalls    <= 32'd0;
        end else begin
            if (loaded && !turned)
                count <= count + 2'd1;
            if (turned && !loaded)
                count <= count - 2'd1;
            open <= loaded || (open && !(turned && count == 2'd1));
            if (turned && BUFFERS == 2)
                page <= !page;
            if (loaded) begin
                broken[next] <= loaded_bad;
                next         <= BUFFERS == 2 && !next;
            end
            freed <= left;
            if (turned) begin
                turn <= turn == LAST[TW-1:0] ? {TW{1'b0}} : turn + 1'b1;
                if (turn == LAST[TW-1:0])
                    event_now <= event_now + 1'b1;
            end
            hit <= pass && page_bad;
            if (waits)
                stalls <= stalls + 32'd1;
        end

    always @(posedge clk)
        hit_event <= event_now;

    // ---- a page that does not come
    generate
        if (LATE > 0) begin : g_late
            localparam        CW    = $clog2(LATE + 1);
            localparam [31:0] LIMIT = LATE;
            reg [CW-1:0] waited;
            always @(posedge clk)
                if (rst) begin
                    waited <= {CW{1'b0}};
                    late   <= 1'b0;
                end else begin
                    if (open)
                        waited <= {CW{1'b0}};
                    else if (waits && waited != LIMIT[CW-1:0])
                        waited <= waited + 1'b1;
                    late <= late || (waits && waited == LIMIT[CW-1:0]);
                end
        end else begin : g_any_time
            always @(posedge clk)
                late <= 1'b0;
        end
    endgenerate
    localparam [31:0] ALL = BUFFERS;
    ts_watch watch (.clk(clk), .rst(rst), .bad(loaded && count >= ALL[1:0]), .fault(fault));
    wire unused = &{1'b0, s_tag, o_tag};

`ifdef FORMAL
    // The loader and the stage as they must behave: a page is announced only in a free buffer, offered tokens wait unchanged, and as
    // many last tokens leave the stage as have passed.
    reg            f_started = 0, f_offered = 0, f_waiting = 0, f_page, f_page_bad;
    reg [TAGW-1:0] f_tag;
    reg [1:0]      f_held, f_inside; // pages announced and not freed; pages all of whose tokens have passed but not left
    reg            f_write;          // the buffer that the next page is written to
    reg [1:0]      f_bad;            // what was announced of the held pages, oldest first
    wire [1:0]     f_kept = f_held - {1'b0, left};
    wire           f_oldest = BUFFERS == 2 && (f_write ^ f_held[0]); // the oldest held page's buffer

    always @(posedge clk) begin
        f_started  <= 1;
        f_offered  <= !rst && s_valid && !s_ready;
        f_waiting  <= !rst && m_valid && !m_ready;
        f_tag      <= s_tag;
        f_page     <= page;
        f_page_bad <= page_bad;
        if (rst) begin
            f_held   <= 0;
            f_inside <= 0;
            f_write  <= 0;
            f_bad    <= 0;
        end else begin
            f_held   <= f_kept + {1'b0, loaded};
            f_inside <= f_inside + {1'b0, turned} - {1'b0, left};
            f_write  <= BUFFERS == 2 && (f_write ^ loaded);
            if (left)
                f_bad[0] <= f_bad[1];
            if (loaded)
                f_bad[f_kept[0]] <= loaded_bad;
        end
        if (!f_started)
            assume (rst);
        else begin
            if (f_offered)
                assume (s_valid && s_tag == f_tag);
            if (loaded)
                assume (f_held < BUFFERS);
            if (left)
                assume (f_inside != 0);
            // Every held page waits to be used or is inside; there are never more than buffers.
            assert (f_held == count + f_inside && f_held <= BUFFERS && count <= 2 && f_inside <= 2);
            assert (open == (count != 0));
            // The page in use is the oldest unused one, in a buffer that is not written, and what was announced of it is told.
            assert (next == f_write);
            assert (page == (BUFFERS == 2 && (f_oldest ^ f_inside[0])));
            if (f_held > 0)
                assert (broken[f_oldest] == f_bad[0]);
            if (f_held > 1)
                assert (broken[!f_oldest] == f_bad[1]);
            if (m_valid) begin
                assert (f_held == BUFFERS || page != f_write);
                assert (page_bad == f_bad[f_inside[0]]);
            end
            // Both ends of the handshake move together and only with a page; an offer stays, with its page.
            assert ((m_valid && m_ready) == (s_valid && s_ready));
            assert (!m_valid || count != 0);
            if (f_waiting)
                assert (m_valid && page == f_page && page_bad == f_page_bad);
        end
    end
`endif
endmodule

`default_nettype wire
