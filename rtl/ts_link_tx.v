// Sending side of a link: a stream of tokens becomes frames (docs/links.md) on words that have a valid but no ready. An event's m_last,
// refused and error travel with it. Once a token's words are in, nothing but the peer's credit and link_slot holds them back.
//   tell, heard_*: credit from and to this end's receiver, ts_link_rx, whose frames come the other way.
//   link_slot: a word may leave four cycles later; constant 1 where the link takes a word every cycle.
// Latency from s_valid of a token, the link idle, to its last word but for the CRC: WPT + 10, WPT = ceil(TOKW / (LINKW - 1)).
`default_nettype none

module ts_link_tx #(
    parameter TOKW   = 640,
    parameter LINKW  = 64,            // 32, or a multiple of 32 from 64 on
    parameter PACKET = 128,           // words of the longest packet
    parameter CREDIT = 128,           // words that this end's receiver may free before it says so
    parameter BEAT   = 1024,          // cycles between state frames at the latest
    parameter STYLE  = "distributed"  // of the memory, one token more than a packet
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [TOKW-1:0]  s_data,
    input  wire             s_last,
    input  wire             s_refused,
    input  wire             s_error,
    input  wire [17:0]      tell,
    input  wire             heard_valid,
    input  wire [17:0]      heard,
    input  wire             link_slot,
    output wire             link_valid,
    output wire [LINKW-1:0] link_data
);
    wire             d_want, d_valid, d_take, p_valid, p_ready;
    wire [7:0]       d_length;
    wire [3:0]       d_flags;
    wire [11:0]      d_event;
    wire [LINKW-2:0] p_data;

    ts_link_pack #(.TOKW(TOKW), .WORDW(LINKW - 1), .PACKET(PACKET), .STYLE(STYLE)) pack (
        .clk(clk), .rst(rst), .s_valid(s_valid), .s_ready(s_ready), .s_data(s_data), .s_last(s_last), .s_refused(s_refused),
        .s_error(s_error), .d_want(d_want), .d_valid(d_valid), .d_take(d_take), .d_length(d_length), .d_flags(d_flags),
        .d_event(d_event), .p_valid(p_valid), .p_ready(p_ready), .p_data(p_data));

    ts_link_send #(.LINKW(LINKW), .CREDIT(CREDIT), .BEAT(BEAT)) send (
        .clk(clk), .rst(rst), .d_valid(d_valid), .d_take(d_take), .d_length(d_length), .d_flags(d_flags), .d_event(d_event),
        .d_want(d_want), .p_valid(p_valid), .p_ready(p_ready), .p_data(p_data), .tell(tell), .heard_valid(heard_valid),
        .heard(heard), .link_slot(link_slot), .link_valid(link_valid), .link_data(link_data));
endmodule

`default_nettype wire
