// The data path of a device's top: AXI4-Stream of the bus clock to the ring's s_hit of the engine clock, m_out back to AXI4-Stream.
// ts_axis_in and ts_axis_out, with what they say of packing, TKEEP, TUSER and malformed events, and a ts_async_fifo each way.
// rst and bus_rst (ts_reset) come together; after either of them alone, events on their way are cut short.
// Latency, equal clocks: 7 cycles from a hit's last word to s_hit, 6 from m_out to its word, 7 where it has several. A hit, or a word, a cycle of the slower clock.
`default_nettype none

module ts_axis_io #(
    parameter BUSW  = 64,
    parameter HITW  = 48,
    parameter OUTW  = 128,
    parameter DEPTH = 16, // words of each FIFO
    parameter SYNC  = 2,
    parameter STATUS = 0  // of ts_axis_out
) (
    input  wire              bus_clk,
    input  wire              bus_rst,
    input  wire              s_axis_tvalid,
    output wire              s_axis_tready,
    input  wire [BUSW-1:0]   s_axis_tdata,
    input  wire [BUSW/8-1:0] s_axis_tkeep,
    input  wire              s_axis_tlast,
    output wire              m_axis_tvalid,
    input  wire              m_axis_tready,
    output wire [BUSW-1:0]   m_axis_tdata,
    output wire [BUSW/8-1:0] m_axis_tkeep,
    output wire              m_axis_tlast,
    output wire [1:0]        m_axis_tuser,
    input  wire              clk,
    input  wire              rst,
    output wire              s_hit_valid,
    input  wire              s_hit_ready,
    output wire [HITW-1:0]   s_hit_data,
    output wire              s_hit_last,
    output wire              s_hit_refused,
    output wire              s_hit_error,
    input  wire              m_out_valid,
    output wire              m_out_ready,
    input  wire [OUTW-1:0]   m_out_data,
    input  wire              m_out_last,
    input  wire              m_out_refused,
    input  wire              m_out_error
);
    wire            in_valid, in_ready, in_last, in_refused, in_error;
    wire [HITW-1:0] in_data;
    wire            out_valid, out_ready, out_last, out_refused, out_error;
    wire [OUTW-1:0] out_data;

    ts_axis_in #(.BUSW(BUSW), .HITW(HITW)) axis_in (
        .clk(bus_clk), .rst(bus_rst), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready), .s_axis_tdata(s_axis_tdata),
        .s_axis_tkeep(s_axis_tkeep), .s_axis_tlast(s_axis_tlast), .m_valid(in_valid), .m_ready(in_ready), .m_data(in_data),
        .m_last(in_last), .m_refused(in_refused), .m_error(in_error));
    ts_async_fifo #(.WIDTH(HITW + 3), .DEPTH(DEPTH), .SYNC(SYNC)) hits (
        .s_clk(bus_clk), .s_rst(bus_rst), .s_valid(in_valid), .s_ready(in_ready), .s_data({in_error, in_refused, in_last, in_data}),
        .m_clk(clk), .m_rst(rst), .m_valid(s_hit_valid), .m_ready(s_hit_ready),
        .m_data({s_hit_error, s_hit_refused, s_hit_last, s_hit_data}));
    ts_async_fifo #(.WIDTH(OUTW + 3), .DEPTH(DEPTH), .SYNC(SYNC)) results (
        .s_clk(clk), .s_rst(rst), .s_valid(m_out_valid), .s_ready(m_out_ready),
        .s_data({m_out_error, m_out_refused, m_out_last, m_out_data}),
        .m_clk(bus_clk), .m_rst(bus_rst), .m_valid(out_valid), .m_ready(out_ready),
        .m_data({out_error, out_refused, out_last, out_data}));
    ts_axis_out #(.BUSW(BUSW), .OUTW(OUTW), .STATUS(STATUS)) axis_out (
        .clk(bus_clk), .rst(bus_rst), .s_valid(out_valid), .s_ready(out_ready), .s_data(out_data), .s_last(out_last),
        .s_refused(out_refused), .s_error(out_error), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready),
        .m_axis_tdata(m_axis_tdata), .m_axis_tkeep(m_axis_tkeep), .m_axis_tlast(m_axis_tlast), .m_axis_tuser(m_axis_tuser));
endmodule

`default_nettype wire
