// Event-atomic queue: words of an event become visible when its last one (s_last) has been accepted. A word with s_drop is not
// stored and takes back the words of its event. s_drop is accepted even when the queue is full of its own event, so that DEPTH
// need only be the length of the longest event (any DEPTH >= 2).
// One word a cycle; the first word of an event is visible four cycles after the last was accepted. LW (layer bits) changes
// nothing here: all layers share the queue.
`default_nettype none

module ts_queue #(
    parameter WIDTH = 8,
    parameter DEPTH = 16,
    parameter LW    = 1,
    parameter STYLE = "block"
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [WIDTH-1:0] s_data,
    input  wire             s_last,
    input  wire             s_drop,
    output wire             m_valid,
    input  wire             m_ready,
    output wire [WIDTH-1:0] m_data,
    output wire             fault // ts_watch
);
    localparam        AW    = $clog2(DEPTH);
    localparam [31:0] LAST  = DEPTH - 1;
    localparam        AHEAD = 4; // words on their way from the memory to m_data: one a cycle

    // Pointers carry a phase bit above the address, which changes at every turn: equal pointers mean empty, equal addresses in
    // different phases mean full. No counting, whatever DEPTH is.
    function [AW:0] after(input [AW:0] p);
        after = p[AW-1:0] == LAST[AW-1:0] ? {!p[AW], {AW{1'b0}}} : p + 1'b1;
    endfunction

    reg  [AW:0]      tail;  // next word in
    reg  [AW:0]      fence; // first word of the event that is coming in
    reg  [AW:0]      front; // next word out
    reg  [2:0]       room;  // free places in the prefetch FIFO, less the reads on their way
    reg              read_1, read_2;
    wire             full = tail[AW-1:0] == front[AW-1:0] && tail[AW] != front[AW];
    wire             take = s_valid && s_ready;
    wire             store = take && !s_drop;
    wire             issue = front != fence && room != 3'd0;
    wire             pop = m_valid && m_ready;
    wire [AW:0]      tail_after = after(tail);
    wire [WIDTH-1:0] rdata;
    wire             prefetch_ready;
    wire [2:0]       prefetch_count;

    assign s_ready = !full || s_drop;

    always @(posedge clk)
        if (rst) begin
            tail   <= {AW+1{1'b0}};
            fence  <= {AW+1{1'b0}};
            front  <= {AW+1{1'b0}};
            room   <= AHEAD;
            read_1 <= 1'b0;
            read_2 <= 1'b0;
        end else begin
            if (take)
                tail <= s_drop ? fence : tail_after;
            if (store && s_last)
                fence <= tail_after;
            if (issue)
                front <= after(front);
            room   <= room + {2'b0, pop} - {2'b0, issue};
            read_1 <= issue;
            read_2 <= read_1;
        end

    ts_fifo_lut #(.WIDTH(WIDTH), .DEPTH(AHEAD)) prefetch (
        .clk(clk), .rst(rst), .s_valid(read_2), .s_ready(prefetch_ready), .s_data(rdata),
        .m_valid(m_valid), .m_ready(m_ready), .m_data(m_data), .count(prefetch_count));
    ts_watch watch (.clk(clk), .rst(rst), .bad(read_2 && !prefetch_ready), .fault(fault));

    generate
        if (DEPTH < 2 || LW < 1) begin : g_guard
            ts_queue_needs_DEPTH_of_at_least_2_and_LW_of_at_least_1 guard ();
        end
    endgenerate

`ifndef FORMAL
    ts_mem #(.WIDTH(WIDTH), .DEPTH(DEPTH), .STYLE(STYLE)) mem (
        .clk(clk), .we(store), .waddr(tail[AW-1:0]), .wdata(s_data), .raddr(front[AW-1:0]), .rdata(rdata),
        .cfg_we(1'b0), .cfg_mem(8'd0), .cfg_slice(10'd0), .cfg_addr(16'd0), .cfg_data(72'd0));
    wire unused = &{1'b0, prefetch_count};
`else
    // The memory's model, so that its words can be spoken of.
    reg  [WIDTH-1:0] f_mem [0:DEPTH-1];
    reg  [WIDTH-1:0] f_read, f_out;
    always @(posedge clk) begin
        if (store)
            f_mem[tail[AW-1:0]] <= s_data;
        f_read <= f_mem[front[AW-1:0]];
        f_out  <= f_read;
    end
    assign rdata = f_out;

    // One word, whichever the solver picks, is followed from its acceptance into the prefetch FIFO, which is proved by itself. It
    // arrives unchanged and in its turn if its event was completed; a dropped word is never read.
    wire             f_pick = $anyseq;
    reg              f_started = 0, f_track = 0, f_safe = 0, f_read_1 = 0, f_read_2 = 0;
    reg  [AW:0]      f_at; // where the word is
    reg  [WIDTH-1:0] f_word;
    reg  [AW+1:0]    f_open; // words of the event that is coming in

    // Words from pointer a to pointer b.
    function [AW+1:0] span(input [AW:0] a, input [AW:0] b);
        span = a[AW] == b[AW] ? {2'b0, b[AW-1:0]} - {2'b0, a[AW-1:0]} : {2'b0, b[AW-1:0]} + DEPTH - {2'b0, a[AW-1:0]};
    endfunction

    wire [AW+1:0]    f_held = span(front, tail), f_seen = span(front, fence), f_before = span(front, f_at);
    wire             f_go = issue && f_track && front == f_at;

    always @(posedge clk) begin
        f_started <= 1;
        f_read_1  <= !rst && f_go;
        f_read_2  <= !rst && f_read_1;
        if (rst || (take && (s_last || s_drop)))
            f_open <= 0;
        else if (take)
            f_open <= f_open + 1;
        if (rst) begin
            f_track <= 0;
            f_safe  <= 0;
        end else if (f_track) begin
            f_track <= !f_go && !(take && s_drop && !f_safe);
            f_safe  <= f_safe || (store && s_last);
        end else if (store && f_pick && !f_read_1 && !f_read_2) begin
            f_track <= 1;
            f_safe  <= s_last;
            f_at    <= tail;
            f_word  <= s_data;
        end
        if (!f_started)
            assume (rst);
        else begin
            assert (tail[AW-1:0] <= LAST && fence[AW-1:0] <= LAST && front[AW-1:0] <= LAST);
            assert (f_held <= DEPTH && f_seen <= f_held && f_open == f_held - f_seen);
            assert ({1'b0, room} + read_1 + read_2 + prefetch_count == AHEAD);
            assert (!read_2 || prefetch_ready);
            if (f_track) begin
                assert (f_at[AW-1:0] <= LAST);
                assert (f_before < f_held && f_safe == (f_before < f_seen));
                assert (f_mem[f_at[AW-1:0]] == f_word);
            end
            assert (!(f_go && !f_safe));
            assert (!f_read_1 || (read_1 && f_read == f_word));
            assert (!f_read_2 || (read_2 && f_out == f_word));
        end
    end
`endif
endmodule

`default_nettype wire
