// First-word-fall-through FIFO of exactly DEPTH words (any DEPTH >= 2). No combinational path from one side to the other.
//   "distributed": LUT RAM; a word is visible the cycle after it was accepted.
//   "block" or "ultra": prefetched into a small LUT RAM FIFO; a word is visible five cycles after it was accepted.
// `count` is the number of words inside (accepted, not yet taken), from a register. fault: ts_watch.
`default_nettype none

module ts_fifo #(
    parameter WIDTH = 8,
    parameter DEPTH = 16,
    parameter STYLE = "distributed",
    parameter CW    = $clog2(DEPTH + 1) // derived
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [WIDTH-1:0] s_data,
    output wire             m_valid,
    input  wire             m_ready,
    output wire [WIDTH-1:0] m_data,
    output wire [CW-1:0]    count,
    output wire             fault
);
    generate
        if (STYLE == "distributed") begin : g_lut
            ts_fifo_lut #(.WIDTH(WIDTH), .DEPTH(DEPTH)) fifo (
                .clk(clk), .rst(rst), .s_valid(s_valid), .s_ready(s_ready), .s_data(s_data),
                .m_valid(m_valid), .m_ready(m_ready), .m_data(m_data), .count(count));
            assign fault = 1'b0;
        end else begin : g_block
            localparam        AW   = $clog2(DEPTH);
            localparam [31:0] LAST = DEPTH - 1;
            localparam [31:0] FULL = DEPTH;
            localparam        AHEAD = 4;

            reg               ready;
            reg  [CW-1:0]     held;
            reg  [AW-1:0]     wptr, rptr;
            reg  [CW-1:0]     unread; // words in the array that no read was issued for
            reg               stored; // the write of the cycle before has reached the array
            reg  [2:0]        room;   // free places of the FIFO in front, less the reads on their way
            reg               read_1, read_2;
            wire [WIDTH-1:0]  rdata;
            wire              head_ready;
            wire [2:0]        head_count;
            wire              push = s_valid && s_ready;
            wire              pop  = m_valid && m_ready;
            // A read takes two cycles and cannot stop: it is issued only when the FIFO in front has room for it.
            wire              issue = unread != {CW{1'b0}} && room != 3'd0;

            assign s_ready = ready;
            assign count   = held;

            always @(posedge clk)
                if (rst) begin
                    ready  <= 1'b0;
                    held <= {CW{1'b0}};
                    wptr   <= {AW{1'b0}};
                    rptr   <= {AW{1'b0}};
                    unread <= {CW{1'b0}};
                    stored <= 1'b0;
                    room   <= AHEAD;
                    read_1 <= 1'b0;
                    read_2 <= 1'b0;
                end else begin
                    ready <= pop || !(held == FULL[CW-1:0] || (push && held == LAST[CW-1:0]));
                    if (push && !pop)
                        held <= held + 1'b1;
                    if (pop && !push)
                        held <= held - 1'b1;
                    stored <= push;
                    if (stored && !issue)
                        unread <= unread + 1'b1;
                    if (issue && !stored)
                        unread <= unread - 1'b1;
                    if (pop && !issue)
                        room <= room + 1'b1;
                    if (issue && !pop)
                        room <= room - 1'b1;
                    read_1 <= issue;
                    read_2 <= read_1;
                    if (push)
                        wptr <= wptr == LAST[AW-1:0] ? {AW{1'b0}} : wptr + 1'b1;
                    if (issue)
                        rptr <= rptr == LAST[AW-1:0] ? {AW{1'b0}} : rptr + 1'b1;
                end

            ts_mem #(.WIDTH(WIDTH), .DEPTH(DEPTH), .STYLE(STYLE)) mem (
                .clk(clk), .we(push), .waddr(wptr), .wdata(s_data), .raddr(rptr), .rdata(rdata),
                .cfg_we(1'b0), .cfg_mem(8'd0), .cfg_slice(10'd0), .cfg_addr(16'd0), .cfg_data(72'd0));

            ts_fifo_lut #(.WIDTH(WIDTH), .DEPTH(AHEAD)) head (
                .clk(clk), .rst(rst), .s_valid(read_2), .s_ready(head_ready), .s_data(rdata),
                .m_valid(m_valid), .m_ready(m_ready), .m_data(m_data), .count(head_count));
            ts_watch watch (.clk(clk), .rst(rst), .bad(read_2 && !head_ready), .fault(fault));
            wire unused = &{1'b0, head_count};
        end
    endgenerate
endmodule

`default_nettype wire
