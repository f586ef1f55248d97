// One end of a link in a device's top: ts_link in the clock of the transceiver core (link_clk), tokens to and from the rings (clk) through a
// ts_async_fifo each way, words as AXI4-Stream. What comes from the link is always taken: there is no ready, and no need for one. Whatever the
// ratio of the clocks, the peer's credit is of ts_link's own buffer, in link_clk, and rings that stand still hold the peer through it.
//   link_up: of link_clk, the core's "channel up". While it is low no word is offered anew; what is lost meanwhile is seen by ts_link.
//   up: link_up in clk.   fault, a pulse: one of the counts 2 to 6 has grown.
//   counts, 32 bits each, since reset: 0 words sent, 1 words received, 2 damaged frames, 3 gaps before a frame, 4 repeated frames, 5 events
//   ended early (these four: ts_link's faults), 6 times that link_up fell. They come some 50 cycles late, one after the other.
// Latency, equal clocks, beside ts_link's: SYNC + 3 cycles each way, and 2 for a word that leaves.
`default_nettype none

module ts_link_io #(
    parameter SEND    = 1,
    parameter RECEIVE = 1,
    parameter TOKW    = 640,
    parameter LINKW   = 64,
    parameter PACKET  = 128,
    parameter DEPTH   = 512,
    parameter NMAX    = 512,
    parameter CREDIT  = 128,
    parameter BEAT    = 1024,
    parameter TIMEOUT = 8192,
    parameter TOKENS  = 16, // of each FIFO between the clocks
    parameter SYNC    = 2
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [TOKW-1:0]  s_data,
    input  wire             s_last,
    input  wire             s_refused,
    input  wire             s_error,
    output wire             m_valid,
    input  wire             m_ready,
    output wire [TOKW-1:0]  m_data,
    output wire             m_last,
    output wire             m_refused,
    output wire             m_error,
    output wire             up,
    output reg              fault,
    output wire [223:0]     counts,
    input  wire             link_clk,
    input  wire             link_rst,
    input  wire             link_up,
    input  wire             s_axis_tvalid,
    input  wire [LINKW-1:0] s_axis_tdata,
    output wire             m_axis_tvalid,
    input  wire             m_axis_tready,
    output wire [LINKW-1:0] m_axis_tdata
);
    localparam COUNTS = 7;

    wire             t_valid, t_ready, t_last, t_refused, t_error; // to the link
    wire [TOKW-1:0]  t_data;
    wire             r_valid, r_ready, r_last, r_refused, r_error; // from it
    wire [TOKW-1:0]  r_data;
    wire             slot, word_valid;
    wire [LINKW-1:0] word;
    wire [3:0]       faults;
    genvar           i;

    // ---- link_clk: ports, the end itself
    reg             rx_valid, is_up, was_up;
    reg [LINKW-1:0] rx_data;
    always @(posedge link_clk) begin
        rx_valid <= s_axis_tvalid && !link_rst;
        rx_data  <= s_axis_tdata;
        is_up    <= link_up && !link_rst;
        was_up   <= is_up && !link_rst;
    end
    ts_link #(.SEND(SEND), .RECEIVE(RECEIVE), .TOKW(TOKW), .LINKW(LINKW), .PACKET(PACKET), .DEPTH(DEPTH), .NMAX(NMAX), .CREDIT(CREDIT),
              .BEAT(BEAT), .TIMEOUT(TIMEOUT)) link (
        .clk(link_clk), .rst(link_rst), .s_valid(t_valid), .s_ready(t_ready), .s_data(t_data), .s_last(t_last), .s_refused(t_refused),
        .s_error(t_error), .m_valid(r_valid), .m_ready(r_ready), .m_data(r_data), .m_last(r_last), .m_refused(r_refused),
        .m_error(r_error), .tx_slot(slot), .tx_valid(word_valid), .tx_data(word), .rx_valid(rx_valid), .rx_data(rx_data), .faults(faults));
    ts_link_words #(.LINKW(LINKW)) words (
        .clk(link_clk), .rst(link_rst), .up(is_up), .slot(slot), .s_valid(word_valid), .s_data(word), .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready), .m_axis_tdata(m_axis_tdata));

    // ---- tokens
    generate
        if (SEND != 0) begin : g_send
            ts_async_fifo #(.WIDTH(TOKW + 3), .DEPTH(TOKENS), .SYNC(SYNC)) tokens (
                .s_clk(clk), .s_rst(rst), .s_valid(s_valid), .s_ready(s_ready), .s_data({s_error, s_refused, s_last, s_data}),
                .m_clk(link_clk), .m_rst(link_rst), .m_valid(t_valid), .m_ready(t_ready), .m_data({t_error, t_refused, t_last, t_data}));
        end else begin : g_no_send
            assign s_ready = 1'b0;
            assign {t_valid, t_error, t_refused, t_last} = 4'b0000;
            assign t_data = {TOKW{1'b0}};
            wire unused = &{1'b0, t_ready, s_valid, s_data, s_last, s_refused, s_error};
        end
        if (RECEIVE != 0) begin : g_receive
            ts_async_fifo #(.WIDTH(TOKW + 3), .DEPTH(TOKENS), .SYNC(SYNC)) tokens (
                .s_clk(link_clk), .s_rst(link_rst), .s_valid(r_valid), .s_ready(r_ready), .s_data({r_error, r_refused, r_last, r_data}),
                .m_clk(clk), .m_rst(rst), .m_valid(m_valid), .m_ready(m_ready), .m_data({m_error, m_refused, m_last, m_data}));
        end else begin : g_no_receive
            assign r_ready = 1'b0;
            assign {m_valid, m_error, m_refused, m_last} = 4'b0000;
            assign m_data = {TOKW{1'b0}};
            wire unused = &{1'b0, r_valid, r_data, r_last, r_refused, r_error, m_ready};
        end
    endgenerate

    // ---- counts, in link_clk; one after the other goes to clk
    reg  [COUNTS-1:0]    happens;
    reg  [2:0]           at;
    reg  [34:0]          sent; // {which, count}
    reg                  sent_valid;
    wire                 sent_ready;
    wire [32*COUNTS-1:0] number;
    wire                 told;
    wire [34:0]          news;
    always @(posedge link_clk)
        happens <= link_rst ? {COUNTS{1'b0}} : {was_up && !is_up, faults[3], faults[2], faults[1], faults[0], rx_valid, m_axis_tvalid && m_axis_tready};
    generate
        for (i = 0; i < COUNTS; i = i + 1) begin : g_count
            reg [31:0] n;
            always @(posedge link_clk)
                if (link_rst)
                    n <= 32'd0;
                else
                    n <= n + {31'd0, happens[i]};
            assign number[32*i +: 32] = n;
        end
    endgenerate
    always @(posedge link_clk)
        if (link_rst) begin
            at         <= 3'd0;
            sent_valid <= 1'b0;
        end else if (sent_ready || !sent_valid) begin
            at         <= at == 3'd6 ? 3'd0 : at + 3'd1;
            sent_valid <= 1'b1;
        end
    always @(posedge link_clk)
        if (sent_ready || !sent_valid)
            sent <= {at, number[32*{2'd0, at} +: 32]};
    ts_async_fifo #(.WIDTH(35), .DEPTH(4), .SYNC(SYNC)) ferry (
        .s_clk(link_clk), .s_rst(link_rst), .s_valid(sent_valid), .s_ready(sent_ready), .s_data(sent), .m_clk(clk), .m_rst(rst), .m_valid(told),
        .m_ready(1'b1), .m_data(news));

    // ---- clk: what came
    reg               came;
    reg  [34:0]       what;
    wire [COUNTS-1:0] grown;
    always @(posedge clk) begin
        came  <= told && !rst;
        what  <= news;
        fault <= |grown[COUNTS-1:2];
    end
    generate
        for (i = 0; i < COUNTS; i = i + 1) begin : g_known
            localparam [31:0] ME = i;
            reg [31:0] n;
            wire       mine = came && what[34:32] == ME[2:0];
            assign grown[i] = !rst && mine && what[31:0] != n;
            always @(posedge clk)
                if (rst)
                    n <= 32'd0;
                else if (mine)
                    n <= what[31:0];
            assign counts[32*i +: 32] = n;
        end
    endgenerate

    wire unused_grown = &{1'b0, grown[1:0]};

`ifdef TS_CHECK
    ts_sync #(.STAGES(SYNC)) sync_up (.from_clk(link_clk), .clk(clk), .in(is_up), .out(up));
`elsif FORMAL
    wire [SYNC-1:0] f_up;
    ts_sync #(.STAGES(SYNC)) sync_up (.f_chain(f_up), .clk(clk), .in(is_up), .out(up));
`else
    ts_sync #(.STAGES(SYNC)) sync_up (.clk(clk), .in(is_up), .out(up));
`endif
endmodule

`default_nettype wire
