// AXI4 reads of one clock in another: addresses one way, beats the other, each through a ts_async_fifo, in order. What the bursts are is the
// master's matter (ts_pager: INCR, one size, never across 4 KiB, at most BURSTS on their way); here nothing is cut or joined.
// Both sides may be reset only when no burst is on its way (ts_pager: `idle`), as AXI has it.
// Latency, equal clocks: 5 cycles each way; a beat a cycle of the slower clock.
`default_nettype none

module ts_axi_read_cross #(
    parameter DATAW = 64,
    parameter ADDRW = 40,
    parameter DEPTH = 32, // beats that may wait; a power of two
    parameter SYNC  = 2
) (
    input  wire             s_clk,
    input  wire             s_rst,
    input  wire             s_axi_arvalid,
    output wire             s_axi_arready,
    input  wire [ADDRW-1:0] s_axi_araddr,
    input  wire [7:0]       s_axi_arlen,
    input  wire [2:0]       s_axi_arsize,
    input  wire [1:0]       s_axi_arburst,
    output wire             s_axi_rvalid,
    input  wire             s_axi_rready,
    output wire [DATAW-1:0] s_axi_rdata,
    output wire [1:0]       s_axi_rresp,
    output wire             s_axi_rlast,
    input  wire             m_clk,
    input  wire             m_rst,
    output wire             m_axi_arvalid,
    input  wire             m_axi_arready,
    output wire [ADDRW-1:0] m_axi_araddr,
    output wire [7:0]       m_axi_arlen,
    output wire [2:0]       m_axi_arsize,
    output wire [1:0]       m_axi_arburst,
    input  wire             m_axi_rvalid,
    output wire             m_axi_rready,
    input  wire [DATAW-1:0] m_axi_rdata,
    input  wire [1:0]       m_axi_rresp,
    input  wire             m_axi_rlast
);
`ifdef FORMAL
    wire              f_stored, f_offered;
    wire [ADDRW+12:0] f_stored_data, f_offered_data;
`define TS_PICKED .f_stored(f_stored), .f_stored_data(f_stored_data), .f_offered(f_offered), .f_offered_data(f_offered_data),
`else
`define TS_PICKED
`endif
    ts_async_fifo #(.WIDTH(ADDRW + 13), .DEPTH(4), .SYNC(SYNC)) addresses (`TS_PICKED
        .s_clk(s_clk), .s_rst(s_rst), .s_valid(s_axi_arvalid), .s_ready(s_axi_arready),
        .s_data({s_axi_arburst, s_axi_arsize, s_axi_arlen, s_axi_araddr}),
        .m_clk(m_clk), .m_rst(m_rst), .m_valid(m_axi_arvalid), .m_ready(m_axi_arready),
        .m_data({m_axi_arburst, m_axi_arsize, m_axi_arlen, m_axi_araddr}));
    ts_async_fifo #(.WIDTH(DATAW + 3), .DEPTH(DEPTH), .SYNC(SYNC)) beats (
        .s_clk(m_clk), .s_rst(m_rst), .s_valid(m_axi_rvalid), .s_ready(m_axi_rready),
        .s_data({m_axi_rlast, m_axi_rresp, m_axi_rdata}),
        .m_clk(s_clk), .m_rst(s_rst), .m_valid(s_axi_rvalid), .m_ready(s_axi_rready),
        .m_data({s_axi_rlast, s_axi_rresp, s_axi_rdata}));

`undef TS_PICKED

`ifdef FORMAL
    // Bursts as AXI has them on the s side are so on the m side: any word, whichever the solver picks, was one and still is when it is offered.
    // (That words stay until they are taken, and their order, is proved in ts_async_fifo.)
    localparam        F_SIZE  = $clog2(DATAW / 8);
    localparam [31:0] F_SIZES = F_SIZE;
    function f_fits(input [ADDRW+12:0] burst);
        reg [12:0] behind;
        begin
            behind = {1'b0, burst[11:0]} + (({5'd0, burst[ADDRW +: 8]} + 13'd1) << F_SIZE);
            f_fits = burst[ADDRW+11 +: 2] == 2'b01 && burst[ADDRW+8 +: 3] == F_SIZES[2:0] && behind <= 13'd4096 && burst[F_SIZE-1:0] == 0;
        end
    endfunction
    always @* begin
        if (s_axi_arvalid)
            assume (f_fits({s_axi_arburst, s_axi_arsize, s_axi_arlen, s_axi_araddr}));
        if (f_stored)
            assert (f_fits(f_stored_data));
        if (f_offered) begin
            assert (f_fits(f_offered_data));
            assert (f_fits({m_axi_arburst, m_axi_arsize, m_axi_arlen, m_axi_araddr}));
        end
    end
`elsif TS_CHECK
    ts_axi_read_check #(.DATAW(DATAW), .ADDRW(ADDRW)) check_s (
        .clk(s_clk), .rst(s_rst), .arvalid(s_axi_arvalid), .arready(s_axi_arready), .araddr(s_axi_araddr), .arlen(s_axi_arlen),
        .arsize(s_axi_arsize), .arburst(s_axi_arburst), .rvalid(s_axi_rvalid), .rready(s_axi_rready), .rdata(s_axi_rdata),
        .rresp(s_axi_rresp), .rlast(s_axi_rlast));
    ts_axi_read_check #(.DATAW(DATAW), .ADDRW(ADDRW)) check_m (
        .clk(m_clk), .rst(m_rst), .arvalid(m_axi_arvalid), .arready(m_axi_arready), .araddr(m_axi_araddr), .arlen(m_axi_arlen),
        .arsize(m_axi_arsize), .arburst(m_axi_arburst), .rvalid(m_axi_rvalid), .rready(m_axi_rready), .rdata(m_axi_rdata),
        .rresp(m_axi_rresp), .rlast(m_axi_rlast));
`endif
endmodule

`default_nettype wire
