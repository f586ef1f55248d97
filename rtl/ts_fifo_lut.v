// First-word-fall-through FIFO of exactly DEPTH words (any DEPTH >= 2) in LUT RAM, whose output is m_data: a word is visible the
// cycle after it was accepted. No combinational path from one side to the other.
// `count` is the number of words inside (accepted, not yet taken), from a register.
`default_nettype none

module ts_fifo_lut #(
    parameter WIDTH = 8,
    parameter DEPTH = 16,
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
    localparam        AW   = $clog2(DEPTH);
    localparam [31:0] LAST = DEPTH - 1;
    localparam [31:0] FULL = DEPTH;

    wire          push = s_valid && s_ready;
    wire          pop  = m_valid && m_ready;
    reg  [AW-1:0] wptr, rptr;
    reg           some; // count != 0

    // Flags are made beside the counter, not behind it: one adder between registers.
    always @(posedge clk)
        if (rst) begin
            count   <= {CW{1'b0}};
            s_ready <= 1'b0;
            some    <= 1'b0;
            wptr    <= {AW{1'b0}};
            rptr    <= {AW{1'b0}};
        end else begin
            if (push && !pop)
                count <= count + 1'b1;
            if (pop && !push)
                count <= count - 1'b1;
            s_ready <= pop || !(count == FULL[CW-1:0] || (push && count == LAST[CW-1:0]));
            some    <= push || |count[CW-1:1] || (count[0] && !pop);
            if (push)
                wptr <= wptr == LAST[AW-1:0] ? {AW{1'b0}} : wptr + 1'b1;
            if (pop)
                rptr <= rptr == LAST[AW-1:0] ? {AW{1'b0}} : rptr + 1'b1;
        end

    generate
        if (DEPTH < 2) begin : g_guard
            ts_fifo_needs_DEPTH_of_at_least_2 guard ();
        end
    endgenerate

    (* ram_style = "distributed" *) reg [WIDTH-1:0] array [0:DEPTH-1];

    always @(posedge clk)
        if (push)
            array[wptr] <= s_data;

    assign m_valid = some;
    assign m_data  = array[rptr];
`ifdef FORMAL
    reg              f_started = 0, f_reset = 0;
    wire [31:0]      f_end = {{(32-AW){1'b0}}, rptr} + {{(32-CW){1'b0}}, count};
    always @(posedge clk) begin
        f_started <= 1;
        f_reset   <= rst;
        if (f_started) begin
            assert (count <= FULL && rptr <= LAST && wptr <= LAST);
            assert (wptr == (f_end > LAST ? f_end - FULL : f_end));
            assert (some == (count != 0));
            assert (s_ready == (count != FULL && !f_reset));
        end
    end
`ifndef FORMAL_INSIDE
    // One word, whichever the solver picks, is followed from its acceptance to its delivery: `f_ahead` words are in
    // front of it. It must come out unchanged and in its turn; so must, therefore, every word.
    wire             f_pick = $anyseq;
    reg              f_track = 0, f_waiting = 0;
    reg  [WIDTH-1:0] f_word, f_data;
    reg  [CW-1:0]    f_ahead;
    wire [31:0]      f_sum = {{(32-AW){1'b0}}, rptr} + {{(32-CW){1'b0}}, f_ahead};
    wire [31:0]      f_at = f_sum > LAST ? f_sum - FULL : f_sum;

    always @(posedge clk) begin
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
            if (f_waiting)
                assert (m_valid && m_data == f_data);
            if (f_track) begin
                assert (f_ahead < count);
                assert (array[f_at[AW-1:0]] == f_word);
                if (f_ahead == 0)
                    assert (m_valid && m_data == f_word);
            end
        end
    end
`endif
`endif
endmodule

`default_nettype wire
