// First-word-fall-through FIFO of exactly DEPTH words (any DEPTH >= 2). No combinational path from one side to the other.
//   "distributed": LUT RAM, whose output is m_data; a word is visible the cycle after it was accepted.
//   "block": block RAM with prefetch into a small LUT RAM FIFO; a word is visible four cycles after it was accepted.
// `count` is the number of words inside (accepted, not yet taken), from a register.
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
    output reg              s_ready,
    input  wire [WIDTH-1:0] s_data,
    output wire             m_valid,
    input  wire             m_ready,
    output wire [WIDTH-1:0] m_data,
    output reg  [CW-1:0]    count
);
    localparam         AW   = $clog2(DEPTH);
    localparam [31:0]  LAST = DEPTH - 1;
    localparam [31:0]  FULL = DEPTH;

    wire            push = s_valid && s_ready;
    wire            pop  = m_valid && m_ready;
    wire [CW-1:0]   next = count + {{(CW-1){1'b0}}, push} - {{(CW-1){1'b0}}, pop};
    reg  [AW-1:0]   wptr;

    always @(posedge clk)
        if (rst) begin
            count   <= {CW{1'b0}};
            s_ready <= 1'b0;
            wptr    <= {AW{1'b0}};
        end else begin
            count   <= next;
            s_ready <= next != FULL[CW-1:0];
            if (push)
                wptr <= wptr == LAST[AW-1:0] ? {AW{1'b0}} : wptr + 1'b1;
        end

    generate
        if (DEPTH < 2) begin : g_guard
            ts_fifo_needs_DEPTH_of_at_least_2 guard ();
        end
        if (STYLE == "distributed") begin : g_lut
            (* ram_style = "distributed" *) reg [WIDTH-1:0] mem [0:DEPTH-1];
            reg [AW-1:0] rptr;
            reg          some; // count != 0, ready made

            always @(posedge clk)
                if (push)
                    mem[wptr] <= s_data;

            always @(posedge clk)
                if (rst) begin
                    rptr <= {AW{1'b0}};
                    some <= 1'b0;
                end else begin
                    some <= next != {CW{1'b0}};
                    if (pop)
                        rptr <= rptr == LAST[AW-1:0] ? {AW{1'b0}} : rptr + 1'b1;
                end

            assign m_valid = some;
            assign m_data  = mem[rptr];
`ifdef FORMAL
            // One word, whichever the solver picks, is followed from its acceptance to its delivery: `f_ahead` words are in
            // front of it. It must come out unchanged and in its turn; so must, therefore, every word.
            wire             f_pick; // free
            reg              f_track = 0, f_started = 0, f_waiting = 0;
            reg  [WIDTH-1:0] f_word, f_data;
            reg  [CW-1:0]    f_ahead;
            wire [31:0]      f_sum = {{(32-AW){1'b0}}, rptr} + {{(32-CW){1'b0}}, f_ahead};
            wire [31:0]      f_at = f_sum > LAST ? f_sum - FULL : f_sum;
            wire [31:0]      f_end = {{(32-AW){1'b0}}, rptr} + {{(32-CW){1'b0}}, count};

            always @(posedge clk) begin
                f_started <= 1;
                f_waiting <= !rst && m_valid && !m_ready;
                f_data    <= m_data;
                if (rst)
                    f_track <= 0;
                else if (f_track) begin
                    f_track <= !(pop && f_ahead == 0);
                    f_ahead <= f_ahead - {{(CW-1){1'b0}}, pop};
                end else if (push && f_pick) begin
                    f_track <= 1;
                    f_word  <= s_data;
                    f_ahead <= count - {{(CW-1){1'b0}}, pop};
                end
                if (!f_started)
                    assume (rst);
                else begin
                    assert (count <= FULL && rptr <= LAST && wptr <= LAST);
                    assert (wptr == (f_end > LAST ? f_end - FULL : f_end));
                    assert (some == (count != 0));
                    assert (!(s_ready && count == FULL));
                    if (f_waiting)
                        assert (m_valid && m_data == f_data);
                    if (f_track) begin
                        assert (f_ahead < count);
                        assert (mem[f_at[AW-1:0]] == f_word);
                        if (f_ahead == 0)
                            assert (m_valid && m_data == f_word);
                    end
                end
            end
`endif
        end else begin : g_block
            // A read takes two cycles and cannot stop: it is issued only when the FIFO in front has room for it.
            localparam       AHEAD = 4;
            reg  [AW-1:0]    rptr;
            reg  [CW-1:0]    unread; // words in the block RAM that no read was issued for
            reg              stored; // the write of the cycle before has reached the array
            reg  [2:0]       room;   // free places of the FIFO in front, less the reads on their way
            reg              read_1, read_2;
            wire             issue = unread != {CW{1'b0}} && room != 3'd0;
            wire [WIDTH-1:0] rdata;
            wire             head_ready;
            wire [2:0]       head_count;

            always @(posedge clk)
                if (rst) begin
                    rptr   <= {AW{1'b0}};
                    unread <= {CW{1'b0}};
                    stored <= 1'b0;
                    room   <= AHEAD;
                    read_1 <= 1'b0;
                    read_2 <= 1'b0;
                end else begin
                    stored <= push;
                    unread <= unread + {{(CW-1){1'b0}}, stored} - {{(CW-1){1'b0}}, issue};
                    room   <= room + {2'b0, pop} - {2'b0, issue};
                    read_1 <= issue;
                    read_2 <= read_1;
                    if (issue)
                        rptr <= rptr == LAST[AW-1:0] ? {AW{1'b0}} : rptr + 1'b1;
                end

            ts_mem #(.WIDTH(WIDTH), .DEPTH(DEPTH), .STYLE(STYLE)) mem (
                .clk(clk), .we(push), .waddr(wptr), .wdata(s_data), .raddr(rptr), .rdata(rdata),
                .cfg_we(1'b0), .cfg_mem(8'd0), .cfg_slice(10'd0), .cfg_addr(16'd0), .cfg_data(72'd0));

            ts_fifo #(.WIDTH(WIDTH), .DEPTH(AHEAD)) head (
                .clk(clk), .rst(rst), .s_valid(read_2), .s_ready(head_ready), .s_data(rdata),
                .m_valid(m_valid), .m_ready(m_ready), .m_data(m_data), .count(head_count));
            wire unused = &{1'b0, head_ready, head_count};
        end
    endgenerate
endmodule

`default_nettype wire
