// The only asynchronous FIFO: a stream of s_clk in m_clk, DEPTH (a power of two, >= 4) words in LUT RAM, and one in the output register.
// Pointers cross as Gray values through ts_sync; both handshakes come from registers, and no path leads from one side to the other but that
// of a word, which is written at least two edges of m_clk before it is read. Constraints: ts_async_fifo.xdc.tcl.
// A word is visible SYNC + 3 cycles after it was accepted (equal clocks; one of s_clk, the others of m_clk). A word a cycle of the slower
// clock from DEPTH = 16 on (with SYNC = 2).
// Either reset, of any length, at any time, empties both sides: the side it comes from stops at once, the other one when it has been told;
// pointers are cleared only while nobody looks at them, and both sides stay stopped until that is done. So a word of before the reset
// never comes out behind it, and a side that is reset alone takes back what the other one offers (m_valid falls).
`default_nettype none

module ts_async_fifo #(
    parameter WIDTH = 8,
    parameter DEPTH = 16,
    parameter SYNC  = 2 // registers of a synchroniser
) (
    input  wire             s_clk,
    input  wire             s_rst,
    input  wire             s_valid,
    output reg              s_ready,
    input  wire [WIDTH-1:0] s_data,
    input  wire             m_clk,
    input  wire             m_rst,
`ifdef FORMAL
    // For the proofs of the modules around it: a word that the solver picked as it was accepted, inside, and as it is offered.
    output wire             f_stored,
    output wire [WIDTH-1:0] f_stored_data,
    output wire             f_offered,
    output wire [WIDTH-1:0] f_offered_data,
`endif
    output reg              m_valid,
    input  wire             m_ready,
    output reg  [WIDTH-1:0] m_data
);
    localparam AW = $clog2(DEPTH);

    generate
        if (DEPTH < 4 || (DEPTH & (DEPTH - 1)) != 0) begin : g_guard
            ts_async_fifo_needs_DEPTH_of_4_8_16_and_so_on guard ();
        end
    endgenerate

    function [AW:0] gray(input [AW:0] n);
        gray = n ^ (n >> 1);
    endfunction

    // The DEPTH words of a lap have the Gray codes of AW bits as addresses.
    function [AW-1:0] place(input [AW:0] pointer);
        place = {pointer[AW] ^ pointer[AW-1], pointer[AW-2:0]};
    endfunction

    // ---- emptying: the s side asks (req), the m side stops, clears its pointer and says so (ack), the s side clears its own, and each lets go.
    // These registers have their first values from power-up: it begins with one.
    reg  want = 1'b1;   // s side: once more, when the one before is over
    reg  req = 1'b0;
    reg  m_want = 1'b1; // m side: one is needed
    reg  ack = 1'b0;
    wire req_seen, ack_seen, want_seen;
    wire s_flush = s_rst || want_seen;
    wire s_stop = s_flush || want || req || ack_seen;
    wire m_stop = m_rst || m_want || req_seen || ack; // a cycle more: a pointer may come a cycle behind the request

    always @(posedge s_clk) begin
        req  <= req ? s_flush || !ack_seen : (s_flush || want) && !ack_seen;
        want <= !req && (s_flush || want) && ack_seen;
    end
    always @(posedge m_clk) begin
        m_want <= m_rst || (m_want && !req_seen);
        ack    <= req_seen;
    end

    // ---- pointers: of the next word, of the one behind it, both Gray, and of the one behind that, binary
    reg  [AW:0] w_at, w_next, w_ahead, r_at, r_next, r_ahead;
    wire [AW:0] w_seen, r_seen;
    wire [AW:0] r_lap = {~r_seen[AW:AW-1], r_seen[AW-2:0]}; // DEPTH words on: where the writer must stop
    reg         some;                                       // words in the RAM
    wire        push = s_valid && s_ready;
    wire        free = m_ready || !m_valid;
    wire        fetch = some && free;

`ifdef FORMAL
    wire [SYNC-1:0]        f_req, f_ack, f_want;
    wire [SYNC*(AW+1)-1:0] f_w, f_r;
`define TS_SYNC_MORE(chain, clock) .f_chain(chain),
`elsif TS_CHECK
`define TS_SYNC_MORE(chain, clock) .from_clk(clock),
`else
`define TS_SYNC_MORE(chain, clock)
`endif
    ts_sync #(.STAGES(SYNC)) sync_req (`TS_SYNC_MORE(f_req, s_clk) .clk(m_clk), .in(req), .out(req_seen));
    ts_sync #(.STAGES(SYNC)) sync_ack (`TS_SYNC_MORE(f_ack, m_clk) .clk(s_clk), .in(ack), .out(ack_seen));
    ts_sync #(.STAGES(SYNC)) sync_want (`TS_SYNC_MORE(f_want, m_clk) .clk(s_clk), .in(m_want), .out(want_seen));
    ts_sync #(.WIDTH(AW + 1), .STAGES(SYNC)) sync_w (`TS_SYNC_MORE(f_w, s_clk) .clk(m_clk), .in(w_at), .out(w_seen));
    ts_sync #(.WIDTH(AW + 1), .STAGES(SYNC)) sync_r (`TS_SYNC_MORE(f_r, m_clk) .clk(s_clk), .in(r_at), .out(r_seen));
`undef TS_SYNC_MORE

    // Flags are made beside the pointers, not behind them.
    always @(posedge s_clk) begin
        s_ready <= !s_stop && !(push ? w_next == r_lap : w_at == r_lap);
        if (req && ack_seen) begin
            w_at    <= {AW+1{1'b0}};
            w_next  <= {{AW{1'b0}}, 1'b1};
            w_ahead <= {{AW-1{1'b0}}, 2'd2};
        end else if (push) begin
            w_at    <= w_next;
            w_next  <= gray(w_ahead);
            w_ahead <= w_ahead + 1'b1;
        end
    end

    always @(posedge m_clk) begin
        some    <= !m_stop && !(fetch ? r_next == w_seen : r_at == w_seen);
        m_valid <= !m_stop && (some || (m_valid && !m_ready));
        if (req_seen) begin
            r_at    <= {AW+1{1'b0}};
            r_next  <= {{AW{1'b0}}, 1'b1};
            r_ahead <= {{AW-1{1'b0}}, 2'd2};
        end else if (fetch) begin
            r_at    <= r_next;
            r_next  <= gray(r_ahead);
            r_ahead <= r_ahead + 1'b1;
        end
    end

    (* ram_style = "distributed" *) reg [WIDTH-1:0] array [0:DEPTH-1];

    always @(posedge s_clk)
        if (push)
            array[place(w_at)] <= s_data;
    always @(posedge m_clk)
        if (free)
            m_data <= array[place(r_at)];

`ifdef FORMAL
    // Both clocks come as they like (prove.sh takes them for data). Copies of nothing: the synchronisers show their registers (f_chain).
    // 1. The request and its acknowledgement go round in order: of req, its copies, ack and its copies, those in front have changed.
    // 2. Where nothing is being emptied, the pointers follow each other: what each side knows of the other is old, never wrong.
    // 3. One word, whichever the solver picks, is in its place until it is read, and comes out unchanged.
    function [AW:0] f_count(input [AW:0] g);
        integer i;
        begin
            f_count = {AW+1{1'b0}};
            for (i = 0; i <= AW; i = i + 1)
                f_count = f_count ^ (g >> i);
        end
    endfunction

    localparam [AW+3:0] F_DEPTH = DEPTH;
    wire [AW:0]   f_w0 = f_count(w_at), f_w1 = f_count(f_w[AW:0]), f_w2 = f_count(f_w[AW+1 +: AW+1]);
    wire [AW:0]   f_r0 = f_count(r_at), f_r1 = f_count(f_r[AW:0]), f_r2 = f_count(f_r[AW+1 +: AW+1]);
    wire [AW:0]   f_a = f_w0 - f_w1, f_b = f_w1 - f_w2, f_c = f_w2 - f_r0, f_d = f_r0 - f_r1, f_e = f_r1 - f_r2;
    wire [AW+3:0] f_sum = {3'd0, f_a} + {3'd0, f_b} + {3'd0, f_c} + {3'd0, f_d} + {3'd0, f_e};
    wire [5:0]    f_ring = {f_ack[1], f_ack[0], ack, f_req[1], f_req[0], req};
    wire          f_round = f_ring == 6'o00 || f_ring == 6'o01 || f_ring == 6'o03 || f_ring == 6'o07 || f_ring == 6'o17 || f_ring == 6'o37 ||
                            f_ring == 6'o77 || f_ring == 6'o76 || f_ring == 6'o74 || f_ring == 6'o70 || f_ring == 6'o60 || f_ring == 6'o40;
    wire          f_asked = f_ring == 6'o01 || f_ring == 6'o03 || f_ring == 6'o00; // the m side has not been told, or nothing is asked
    wire          f_falls = !req && f_ring != 6'o00;

    // (Registers that the first emptying sets begin as it leaves them.)
    initial begin
        {w_at, r_at, s_ready, some, m_valid} = 0;
        w_next  = 1;
        r_next  = 1;
        w_ahead = 2;
        r_ahead = 2;
    end

    always @* begin
        assert (f_round);
        // While req is up, or before the last acknowledgement has gone, the s side is stopped; so is the m side while it sees req.
        if (req || want)
            assert (!s_ready);
        if (f_asked)
            assert (f_sum <= F_DEPTH);
        else begin
            if (ack)
                assert (r_at == 0 && !some && !m_valid);
            if (f_ack[0])
                assert (f_r1 == 0);
            if (f_ack[1])
                assert (f_r2 == 0);
            if (f_falls)
                assert (w_at == 0 && r_at == 0 && f_r1 == 0 && f_r2 == 0 && !s_ready && !some && !m_valid);
            if (f_falls && !f_req[0])
                assert (f_w1 == 0);
            if (f_falls && !f_req[1])
                assert (f_w2 == 0);
        end
        // The registers of a pointer belong together.
        assert (w_next == gray(f_w0 + 1'b1) && w_ahead == f_w0 + 2'd2);
        assert (r_next == gray(f_r0 + 1'b1) && r_ahead == f_r0 + 2'd2);
        // Flags: room and words are there where they say so.
        if (s_ready && f_asked)
            assert (f_w0 - f_r2 != F_DEPTH[AW:0]);
        if (some && f_asked)
            assert (f_w2 != f_r0);
    end

    // The word: accepted at f_at.
    (* anyseq *) wire f_pick;
    reg              f_track = 0, f_head = 0;
    reg  [AW:0]      f_at;
    reg  [WIDTH-1:0] f_word, f_out;
    wire [AW:0]      f_behind = f_at - f_r0, f_inside = f_w0 - f_r0;
    wire             f_there = f_track && f_behind < f_inside && f_asked;

    always @(posedge s_clk)
        if (push && f_pick && !req) begin
            f_track <= 1;
            f_at    <= f_w0;
            f_word  <= s_data;
        end else if (!f_there || req)
            f_track <= 0;
    always @(posedge m_clk)
        if (free) begin
            f_head <= fetch && f_there && f_behind == 0 && !req_seen;
            f_out  <= f_word;
        end
    always @* begin
        if (f_there)
            assert (array[place(gray(f_at))] == f_word);
        if (f_head && m_valid)
            assert (m_data == f_out);
    end
    assign f_stored       = f_track;
    assign f_stored_data  = f_word;
    assign f_offered      = f_head && m_valid;
    assign f_offered_data = f_out;

    // What is offered stays until it is taken, but where it is being emptied.
    reg              f_waiting = 0;
    reg  [WIDTH-1:0] f_waits;
    always @(posedge m_clk) begin
        f_waiting <= !m_stop && m_valid && !m_ready;
        f_waits   <= m_data;
    end
    always @*
        if (f_waiting)
            assert (m_valid && m_data == f_waits);
`endif
endmodule

`default_nettype wire
