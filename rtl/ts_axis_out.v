// Results to AXI4-Stream: results of OUTW bits in words of BUSW bits, in slots as ts_axis_in has them (what is beyond OUTW is zero). TLAST
// with an event's last word; an event begins with a word of its own. TKEEP: all bytes, but of an event's last word, which has those of
// its first slots. TUSER, with the last word: {error, refused}, as they came with the event's last result; else 0.
// With STATUS, for takers that have no TUSER (a DMA's memory): every event has one word more, which ends it. TKEEP: all bytes, of all words;
//   bit 0 is refused, bit 1 error, bits 31 to 8 count the event's results, all others are zero.
// Latency 1 with results that fill words, 2 with those of several words (one more for the register in front); a result a cycle, or a word.
`default_nettype none

module ts_axis_out #(
    parameter BUSW = 64,  // 32, 64, 128, 256 or 512
    parameter OUTW = 128, // a multiple of 8
    parameter STATUS = 0
) (
    input  wire              clk,
    input  wire              rst,
    input  wire              s_valid,
    output wire              s_ready,
    input  wire [OUTW-1:0]   s_data,
    input  wire              s_last,
    input  wire              s_refused,
    input  wire              s_error,
    output wire              m_axis_tvalid,
    input  wire              m_axis_tready,
    output wire [BUSW-1:0]   m_axis_tdata,
    output wire [BUSW/8-1:0] m_axis_tkeep,
    output wire              m_axis_tlast,
    output wire [1:0]        m_axis_tuser
);
    localparam        BYTES = BUSW / 8;
    localparam        WORDS = (OUTW + BUSW - 1) / BUSW;               // of a result
    localparam        SLOT  = OUTW > BUSW / 2 ? BUSW : 8 << $clog2(OUTW / 8);
    localparam        PER   = BUSW / SLOT;                            // results of a word

    generate
        if ((BUSW != 32 && BUSW != 64 && BUSW != 128 && BUSW != 256 && BUSW != 512) || OUTW < 8 || OUTW % 8 != 0) begin : g_guard
            ts_axis_out_needs_BUSW_of_32_to_512_and_OUTW_of_whole_bytes guard ();
        end
    endgenerate

    wire             w_valid, w_ready, w_last;
    wire [BUSW-1:0]  w_data;
    wire [BYTES-1:0] w_keep;
    wire [1:0]       w_user;
    reg  [23:0]      earlier;                // results of the event so far
    wire [23:0]      count = earlier + 24'd1; // with the one that comes
    wire [23:0]      w_count;                // of all results, with w_last
    always @(posedge clk)
        if (rst)
            earlier <= 24'd0;
        else if (s_valid && s_ready)
            earlier <= s_last ? 24'd0 : count;

    genvar i;
    generate
        if (WORDS == 1) begin : g_fill
            // Slots in front of the one that comes are in registers, which are zero behind it.
            reg  [BUSW-1:0]  held;
            reg  [PER-1:0]   at;   // the slot that comes, one-hot
            wire [PER-1:0]   upto; // it and those in front of it
            wire [BUSW-1:0]  word;
            wire [SLOT-1:0]  slot;
            wire             ends = s_last || at[PER-1];
            wire             take = s_valid && s_ready;

            assign slot[OUTW-1:0] = s_data;
            if (SLOT > OUTW) begin : g_pad
                assign slot[SLOT-1:OUTW] = {SLOT-OUTW{1'b0}};
            end
            for (i = 0; i < PER; i = i + 1) begin : g_slot
                assign upto[i]                    = |at[PER-1:i];
                assign word[i*SLOT +: SLOT]       = held[i*SLOT +: SLOT] | ({SLOT{at[i]}} & slot);
                assign w_keep[i*SLOT/8 +: SLOT/8] = {SLOT/8{upto[i]}};
            end
            assign s_ready = w_ready || !ends;
            assign w_valid = s_valid && ends;
            assign w_data  = word;
            assign w_last  = s_last;
            assign w_user  = {s_error, s_refused} & {2{s_last}};
            assign w_count = count;

            localparam [63:0] ONE = 64'd1;
            always @(posedge clk)
                if (rst) begin
                    at   <= ONE[PER-1:0];
                    held <= {BUSW{1'b0}};
                end else if (take) begin
                    at   <= ends ? ONE[PER-1:0] : at << 1;
                    held <= ends ? {BUSW{1'b0}} : word;
                end
`ifdef FORMAL
            reg f_started = 0;
            always @(posedge clk) begin
                f_started <= 1;
                if (!f_started)
                    assume (rst);
                else
                    assert (rst || (at != 0 && (at & (at - 1'b1)) == 0));
            end
`endif
        end else begin : g_split
            reg  [WORDS*BUSW-1:0] data;
            reg  [WORDS-1:0]      have; // a bit for each word that is left
            reg                   last;
            reg  [1:0]            user;
            reg  [23:0]           total;
            wire                  final_word = !have[1];
            wire                  room = !have[0] || (w_ready && final_word);
            wire [WORDS*BUSW-1:0] padded;

            assign padded[OUTW-1:0] = s_data;
            if (WORDS * BUSW > OUTW) begin : g_pad
                assign padded[WORDS*BUSW-1:OUTW] = {WORDS*BUSW-OUTW{1'b0}};
            end
            assign s_ready = room;
            assign w_valid = have[0];
            assign w_data  = data[BUSW-1:0];
            assign w_keep  = {BYTES{1'b1}};
            assign w_last  = last && final_word;
            assign w_user  = user & {2{w_last}};
            assign w_count = total;

            always @(posedge clk)
                if (rst)
                    have <= {WORDS{1'b0}};
                else if (room)
                    have <= {WORDS{s_valid}};
                else if (w_ready)
                    have <= have >> 1;
            always @(posedge clk)
                if (room) begin
                    data  <= padded;
                    last  <= s_last;
                    user  <= {s_error, s_refused};
                    total <= count;
                end else if (w_ready)
                    data <= data >> BUSW;
        end
    endgenerate

    // ---- the word behind an event's last one
    wire             x_valid, x_ready, x_last;
    wire [BUSW-1:0]  x_data;
    wire [BYTES-1:0] x_keep;
    wire [1:0]       x_user;
    generate
        if (STATUS != 0) begin : g_status
            reg         closing;
            reg  [31:0] status;
            assign x_valid = w_valid || closing;
            assign w_ready = x_ready && !closing;
            assign x_last  = closing;
            assign x_user  = status[1:0] & {2{closing}};
            assign x_keep  = {BYTES{1'b1}};
            assign x_data[31:0] = closing ? status : w_data[31:0];
            if (BUSW > 32) begin : g_above
                assign x_data[BUSW-1:32] = w_data[BUSW-1:32] & {BUSW-32{!closing}};
            end
            always @(posedge clk)
                if (rst)
                    closing <= 1'b0;
                else if (x_ready)
                    closing <= w_valid && w_last && !closing;
            always @(posedge clk)
                if (!closing)
                    status <= {w_count, 6'd0, w_user};
            wire unused = &{1'b0, w_keep};
        end else begin : g_as_is
            assign x_valid = w_valid;
            assign w_ready = x_ready;
            assign x_last  = w_last;
            assign x_user  = w_user;
            assign x_keep  = w_keep;
            assign x_data  = w_data;
            wire unused = &{1'b0, w_count};
        end
    endgenerate

    ts_skid #(.WIDTH(BUSW + BYTES + 3)) port (
        .clk(clk), .rst(rst), .s_valid(x_valid), .s_ready(x_ready), .s_data({x_user, x_last, x_keep, x_data}),
        .m_valid(m_axis_tvalid), .m_ready(m_axis_tready), .m_data({m_axis_tuser, m_axis_tlast, m_axis_tkeep, m_axis_tdata}));

`ifdef TS_CHECK
    ts_axis_check #(.DATAW(OUTW), .SIDEW(3), .ASSUME(1)) check_s (
        .clk(clk), .rst(rst), .valid(s_valid), .ready(s_ready), .data(s_data), .side({s_error, s_refused, s_last}));
    ts_axis_check #(.DATAW(BUSW), .SIDEW(BYTES + 3)) check_w (
        .clk(clk), .rst(rst), .valid(w_valid), .ready(w_ready), .data(w_data), .side({w_user, w_last, w_keep}));
    // (In proofs TKEEP's rule is of what goes into the register slice, which lets it out unchanged: that is proved there.)
    ts_axi_stream_check #(.DATAW(BUSW), .SLOT(SLOT / 8), .USERW(2)) check_x (
        .clk(clk), .rst(rst), .tvalid(x_valid), .tready(x_ready), .tdata(x_data), .tkeep(x_keep), .tlast(x_last), .tuser(x_user));
`ifdef FORMAL
    ts_axis_check #(.DATAW(BUSW), .SIDEW(BYTES + 3)) check_m (
        .clk(clk), .rst(rst), .valid(m_axis_tvalid), .ready(m_axis_tready), .data(m_axis_tdata),
        .side({m_axis_tuser, m_axis_tlast, m_axis_tkeep}));
`else
    ts_axi_stream_check #(.DATAW(BUSW), .SLOT(SLOT / 8), .USERW(2)) check_m (
        .clk(clk), .rst(rst), .tvalid(m_axis_tvalid), .tready(m_axis_tready), .tdata(m_axis_tdata), .tkeep(m_axis_tkeep),
        .tlast(m_axis_tlast), .tuser(m_axis_tuser));
`endif
`endif
endmodule

`default_nettype wire
