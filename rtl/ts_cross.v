// Accesses of the register bus (ts_axil) from one clock to another and their answers back, through a ts_async_fifo each way: what is on the
// other side sees whole requests, one at a time, in its own clock, and answers each with m_a_valid, one or more cycles later.
// An answer needs no ready: there is never more than one on its way. From a request to an answer that comes a cycle behind it, equal clocks: 11 cycles.
`default_nettype none

module ts_cross #(
    parameter QW   = 49, // bits of a request
    parameter RW   = 33, // ... of an answer
    parameter SYNC = 2
) (
    input  wire          s_clk,
    input  wire          s_rst,
    input  wire          s_valid,
    output wire          s_ready,
    input  wire [QW-1:0] s_data,
    output wire          s_a_valid,
    output wire [RW-1:0] s_a_data,
    input  wire          m_clk,
    input  wire          m_rst,
    output wire          m_valid,
    input  wire          m_ready,
    output wire [QW-1:0] m_data,
    input  wire          m_a_valid,
    input  wire [RW-1:0] m_a_data,
    output wire          fault // ts_watch, m_clk: an answer found no room
);
    wire a_ready;

    ts_async_fifo #(.WIDTH(QW), .DEPTH(4), .SYNC(SYNC)) requests (
        .s_clk(s_clk), .s_rst(s_rst), .s_valid(s_valid), .s_ready(s_ready), .s_data(s_data),
        .m_clk(m_clk), .m_rst(m_rst), .m_valid(m_valid), .m_ready(m_ready), .m_data(m_data));
    ts_async_fifo #(.WIDTH(RW), .DEPTH(4), .SYNC(SYNC)) answers (
        .s_clk(m_clk), .s_rst(m_rst), .s_valid(m_a_valid), .s_ready(a_ready), .s_data(m_a_data),
        .m_clk(s_clk), .m_rst(s_rst), .m_valid(s_a_valid), .m_ready(1'b1), .m_data(s_a_data));
    ts_watch watch (.clk(m_clk), .rst(m_rst), .bad(m_a_valid && !a_ready), .fault(fault));
endmodule

`default_nettype wire
