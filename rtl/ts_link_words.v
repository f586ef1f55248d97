// Words that have a valid and no ready, but slots for them ahead (ts_link_tx: a word may come up to five cycles behind its slot), to AXI4-Stream.
// A slot is given while there is room for every word that may still come; none while `up` is low. What is inside then waits: nothing is lost.
// Latency 2; a word a cycle.
`default_nettype none

module ts_link_words #(
    parameter LINKW = 64
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             up,
    output reg              slot,
    input  wire             s_valid,
    input  wire [LINKW-1:0] s_data,
    output wire             m_axis_tvalid,
    input  wire             m_axis_tready,
    output wire [LINKW-1:0] m_axis_tdata
);
    // Of slots given, words that `count` does not show yet: eight at most.
    localparam        DEPTH = 20, AHEAD = 8;
    localparam [31:0] ROOM = DEPTH - AHEAD;

    wire       s_ready, f_valid, f_ready;
    wire [4:0] count;
    wire [LINKW-1:0] f_data;

    always @(posedge clk)
        slot <= !rst && up && count < ROOM[4:0];
    ts_fifo_lut #(.WIDTH(LINKW), .DEPTH(DEPTH)) waiting (
        .clk(clk), .rst(rst), .s_valid(s_valid), .s_ready(s_ready), .s_data(s_data), .m_valid(f_valid), .m_ready(f_ready), .m_data(f_data),
        .count(count));
    ts_skid #(.WIDTH(LINKW)) port (
        .clk(clk), .rst(rst), .s_valid(f_valid), .s_ready(f_ready), .s_data(f_data), .m_valid(m_axis_tvalid), .m_ready(m_axis_tready),
        .m_data(m_axis_tdata));

`ifndef SYNTHESIS
    always @(posedge clk)
        if (!rst && s_valid && !s_ready) begin
            $display("FAIL: %m: a word came for which no slot was given");
            $stop;
        end
`else
    wire unused = &{1'b0, s_ready};
`endif
endmodule

`default_nettype wire
