// One end of a link between two devices: a full-duplex pair of words without ready, data in one direction or both, credits the other
// way in the same frames (docs/links.md). SEND = 0: no s stream, only state frames go out. RECEIVE = 0: no m stream, only the peer's
// state frames are listened to.
`default_nettype none

module ts_link #(
    parameter SEND     = 1,
    parameter RECEIVE  = 1,
    parameter TOKW     = 640,
    parameter LINKW    = 64,
    parameter PACKET   = 128,
    parameter DEPTH    = 512,
    parameter NMAX     = 512,
    parameter CREDIT   = 128,
    parameter BEAT     = 1024,
    parameter TIMEOUT  = 8192, // cycles without a word of a frame after which an open event is given up
    parameter TX_STYLE = "distributed",
    parameter RX_STYLE = "block"
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
    input  wire             tx_slot,
    output wire             tx_valid,
    output wire [LINKW-1:0] tx_data,
    input  wire             rx_valid,
    input  wire [LINKW-1:0] rx_data,
    output wire [3:0]       faults // as of ts_link_rx
);
    wire [17:0] tell, heard;
    wire        heard_valid;

    generate
        if (SEND != 0) begin : g_send
            ts_link_tx #(.TOKW(TOKW), .LINKW(LINKW), .PACKET(PACKET), .CREDIT(CREDIT), .BEAT(BEAT), .STYLE(TX_STYLE)) tx (
                .clk(clk), .rst(rst), .s_valid(s_valid), .s_ready(s_ready), .s_data(s_data), .s_last(s_last),
                .s_refused(s_refused), .s_error(s_error), .tell(tell), .heard_valid(heard_valid), .heard(heard),
                .link_slot(tx_slot), .link_valid(tx_valid), .link_data(tx_data));
        end else begin : g_tell
            wire d_take, d_want, p_ready;
            ts_link_send #(.LINKW(LINKW), .CREDIT(CREDIT), .BEAT(BEAT)) send (
                .clk(clk), .rst(rst), .d_valid(1'b0), .d_take(d_take), .d_length(8'd0), .d_flags(4'd0), .d_event(12'd0),
                .d_want(d_want), .p_valid(1'b0), .p_ready(p_ready), .p_data({(LINKW-1){1'b0}}), .tell(tell),
                .heard_valid(heard_valid), .heard(heard), .link_slot(tx_slot), .link_valid(tx_valid), .link_data(tx_data));
            assign s_ready = 1'b0;
            wire unused = &{1'b0, d_take, d_want, p_ready, s_valid, s_data, s_last, s_refused, s_error};
        end
        if (RECEIVE != 0) begin : g_receive
            ts_link_rx #(.TOKW(TOKW), .LINKW(LINKW), .DEPTH(DEPTH), .NMAX(NMAX), .TIMEOUT(TIMEOUT), .STYLE(RX_STYLE)) rx (
                .clk(clk), .rst(rst), .link_valid(rx_valid), .link_data(rx_data), .m_valid(m_valid), .m_ready(m_ready),
                .m_data(m_data), .m_last(m_last), .m_refused(m_refused), .m_error(m_error), .tell(tell),
                .heard_valid(heard_valid), .heard(heard), .faults(faults));
        end else begin : g_listen
            wire             q_valid, q_last, q_drop, silent;
            wire [LINKW-2:0] q_data;
            ts_link_scan #(.LINKW(LINKW), .DEPTH(0)) scan (
                .clk(clk), .rst(rst), .link_valid(rx_valid), .link_data(rx_data), .q_valid(q_valid), .q_data(q_data),
                .q_last(q_last), .q_drop(q_drop), .q_popped(1'b0), .heard_valid(heard_valid), .heard(heard), .tell(tell),
                .silent(silent), .faults(faults[2:0]));
            assign faults[3] = 1'b0;
            assign {m_valid, m_last, m_refused, m_error} = 4'b0000;
            assign m_data = {TOKW{1'b0}};
            wire unused = &{1'b0, q_valid, q_data, q_last, q_drop, silent, m_ready};
        end
    endgenerate
endmodule

`default_nettype wire
