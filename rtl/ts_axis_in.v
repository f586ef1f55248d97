// Events from AXI4-Stream: words of BUSW bits to hits of HITW bits; TLAST, with the last word of an event, ends it.
// A hit has a slot: a whole number of words, if it is wider than one; else the smallest power of two of bytes that holds it, BUSW / SLOT of
// them in a word, the first one lowest. Bits of a slot beyond HITW, and their TKEEP, are ignored. An event begins with a word of its own.
//   TKEEP: all hits of a word, but in an event's last word: there the first so many, at least one.
//   What is malformed (an event that ends inside a hit, or in a word without one; a hit of which a byte is missing; one behind a
//   gap; a gap before the end) refuses its event: one transfer with m_refused, m_error and m_last, which holds no hit, in the
//   place of the bad word; the rest of the event, to its TLAST, is swallowed. Nothing stops, and the next event is as if nothing had been.
// Latency 2 (a register slice at the port, then the word's register) from a hit's last word; a word a cycle, or a hit a cycle.
`default_nettype none

module ts_axis_in #(
    parameter BUSW = 64,  // 32, 64, 128, 256 or 512
    parameter HITW = 48   // a multiple of 8
) (
    input  wire              clk,
    input  wire              rst,
    input  wire              s_axis_tvalid,
    output wire              s_axis_tready,
    input  wire [BUSW-1:0]   s_axis_tdata,
    input  wire [BUSW/8-1:0] s_axis_tkeep,
    input  wire              s_axis_tlast,
    output wire              m_valid,
    input  wire              m_ready,
    output wire [HITW-1:0]   m_data,
    output wire              m_last,
    output wire              m_refused,
    output wire              m_error
);
    localparam        BYTES = BUSW / 8;
    localparam        WORDS = (HITW + BUSW - 1) / BUSW;               // of a hit
    localparam        SLOT  = HITW > BUSW / 2 ? BUSW : 8 << $clog2(HITW / 8); // bits of a word that are a hit's, or a part of it
    localparam        PER   = BUSW / SLOT;                            // hits of a word
    localparam        REST  = (HITW - (WORDS - 1) * BUSW) / 8;        // bytes of a hit in its last word
    localparam        WW    = WORDS > 1 ? $clog2(WORDS) : 1;
    localparam [31:0] FINAL = WORDS - 1;
    localparam [63:0] ONE   = 64'd1;

    generate
        if ((BUSW != 32 && BUSW != 64 && BUSW != 128 && BUSW != 256 && BUSW != 512) || HITW < 8 || HITW % 8 != 0) begin : g_guard
            ts_axis_in_needs_BUSW_of_32_to_512_and_HITW_of_whole_bytes guard ();
        end
    endgenerate

    wire             w_valid, w_ready, w_last;
    wire [BUSW-1:0]  w_data;
    wire [BYTES-1:0] w_keep;
    ts_skid #(.WIDTH(BUSW + BYTES + 1)) port (
        .clk(clk), .rst(rst), .s_valid(s_axis_tvalid), .s_ready(s_axis_tready), .s_data({s_axis_tlast, s_axis_tkeep, s_axis_tdata}),
        .m_valid(w_valid), .m_ready(w_ready), .m_data({w_last, w_keep, w_data}));

    // ---- the word at the register slice: which hits it has, and whether it is as it should be
    reg  [WW-1:0]         part;      // words of the hit so far
    wire                  ends = WORDS == 1 || part == FINAL[WW-1:0]; // the word completes its hits
    wire [PER-1:0]        whole;     // slots of which every byte is there
    wire [PER-1:0]        some;      // ... a byte
    wire                  all_there = ends ? &whole : &w_keep;
    genvar i;
    generate
        for (i = 0; i < PER; i = i + 1) begin : g_slot
            assign whole[i] = &w_keep[i*SLOT/8 +: REST];
            assign some[i]  = |w_keep[i*SLOT/8 +: REST];
        end
    endgenerate
    wire [PER:0] ahead = {whole, 1'b1}; // the slots in front of slot i must be whole, too
    wire         gap = |(some & ~(whole & ahead[PER-1:0]));
    wire         bad = w_last ? !ends || !whole[0] || gap : !all_there;

    // ---- the register of hits: slot 0 is offered
    reg  [WORDS*BUSW-1:0] data;
    reg  [PER-1:0]        have;
    reg                   last, wrong;
    reg                   swallow; // the rest of a malformed event
    wire [PER-1:0]        rest = have >> 1;
    wire                  room = !have[0] || (m_ready && rest == {PER{1'b0}});
    wire                  take = w_valid && w_ready;
    wire [(WORDS+1)*BUSW-1:0] joined = {w_data, data};

    assign w_ready   = room || swallow;
    assign m_valid   = have[0];
    assign m_data    = data[HITW-1:0];
    assign m_last    = last && rest == {PER{1'b0}};
    assign m_refused = wrong;
    assign m_error   = wrong;

    always @(posedge clk)
        if (rst) begin
            have    <= {PER{1'b0}};
            swallow <= 1'b0;
            part    <= {WW{1'b0}};
        end else begin
            if (take && !swallow) begin
                have    <= bad ? ONE[PER-1:0] : ends ? whole : {PER{1'b0}};
                swallow <= bad && !w_last;
                part    <= bad || ends ? {WW{1'b0}} : part + 1'b1;
            end else begin
                if (m_ready)
                    have <= rest;
                if (take && w_last)
                    swallow <= 1'b0;
            end
        end

    always @(posedge clk)
        if (room) begin
            if (w_valid && !swallow)
                data <= joined[BUSW +: WORDS*BUSW];
            last  <= w_last || bad;
            wrong <= bad;
        end else if (m_ready)
            data <= data >> SLOT;
    wire unused = &{1'b0, w_keep, ahead[PER], data, joined[BUSW-1:0]};

`ifdef TS_CHECK
    ts_axis_check #(.DATAW(BUSW), .SIDEW(BYTES + 1), .ASSUME(1)) check_s (
        .clk(clk), .rst(rst), .valid(s_axis_tvalid), .ready(s_axis_tready), .data(s_axis_tdata), .side({s_axis_tlast, s_axis_tkeep}));
    ts_axis_check #(.DATAW(HITW), .SIDEW(3)) check_m (
        .clk(clk), .rst(rst), .valid(m_valid), .ready(m_ready), .data(m_data), .side({m_error, m_refused, m_last}));
`endif
endmodule

`default_nettype wire
