// Receiving side of a link: frames (docs/links.md) become the stream of tokens again. Packets are buffered (DEPTH words: what is on its
// way when the output stops) and released when their CRC has been checked. Every event comes out once, in order, with one m_last and
// at most NMAX tokens; one that was damaged, cut short or lost on the way has m_error with it, those before and after it are right.
//   tell, heard_*: credit to and from this end's sender, ts_link_tx, whose frames go the other way.
//   faults, one cycle each: [0] a damaged frame, [1] missing words, [2] a repeated frame, [3] an event ended early for what is missing.
// Latency from a packet's CRC on the link to m_valid of its first token: 14 + WPT, WPT = ceil(TOKW / (LINKW - 1)).
`default_nettype none

module ts_link_rx #(
    parameter TOKW    = 640,
    parameter LINKW   = 64,     // 32, or a multiple of 32 from 64 on
    parameter DEPTH   = 512,    // words of the buffer: at least the round trip, CREDIT and a packet
    parameter NMAX    = 512,    // tokens of the longest event
    parameter TIMEOUT = 8192,   // cycles of silence after which an event that has begun is given up
    parameter STYLE   = "block" // of the buffer
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             link_valid,
    input  wire [LINKW-1:0] link_data,
    output wire             m_valid,
    input  wire             m_ready,
    output wire [TOKW-1:0]  m_data,
    output wire             m_last,
    output wire             m_refused,
    output wire             m_error,
    output wire [17:0]      tell,
    output wire             heard_valid,
    output wire [17:0]      heard,
    output wire [3:0]       faults
);
    localparam WORDW = LINKW - 1; // without the mark
    localparam WPT   = (TOKW + WORDW - 1) / WORDW;

    generate
        // An event number tells at most 2047 missing events: more than the buffer's words can be.
        if (DEPTH < 2 * (WPT + 1) || DEPTH > 2047 * (WPT + 1)) begin : g_guard
            ts_link_rx_needs_DEPTH_of_two_packets_and_at_most_2047_tokens guard ();
        end
    endgenerate

    wire             in_valid, in_last, in_drop, in_ready, q_valid, q_ready, silent, queue_fault;
    wire [WORDW-1:0] in_data, q_data;

    ts_link_scan #(.LINKW(LINKW), .DEPTH(DEPTH), .TIMEOUT(TIMEOUT)) scan (
        .clk(clk), .rst(rst), .link_valid(link_valid), .link_data(link_data), .q_valid(in_valid), .q_data(in_data),
        .q_last(in_last), .q_drop(in_drop), .q_popped(q_valid && q_ready), .heard_valid(heard_valid), .heard(heard),
        .tell(tell), .silent(silent), .faults(faults[2:0]));

    ts_queue #(.WIDTH(WORDW), .DEPTH(DEPTH), .STYLE(STYLE)) queue (
        .clk(clk), .rst(rst), .s_valid(in_valid), .s_ready(in_ready), .s_data(in_data), .s_last(in_last), .s_drop(in_drop),
        .m_valid(q_valid), .m_ready(q_ready), .m_data(q_data), .fault(queue_fault));

    ts_link_unpack #(.TOKW(TOKW), .WORDW(WORDW), .NMAX(NMAX)) unpack (
        .clk(clk), .rst(rst), .silent(silent), .q_valid(q_valid), .q_ready(q_ready), .q_data(q_data), .m_valid(m_valid), .m_ready(m_ready),
        .m_data(m_data), .m_last(m_last), .m_refused(m_refused), .m_error(m_error), .fault(faults[3]));

    wire unused = &{1'b0, in_ready, queue_fault};

`ifndef SYNTHESIS
    // Words of frames beyond the limit may find no room. Such a frame is never let through.
    reg cut;
    always @(posedge clk)
        if (rst)
            cut <= 1'b0;
        else if (in_valid) begin
            cut <= !in_last && !in_drop && (cut || !in_ready);
            if (in_last && !in_drop && (cut || !in_ready)) begin
                $display("FAIL: %m: a packet was let through that lacks words");
                $stop;
            end
        end
`endif
endmodule

`default_nettype wire
