// Queries of complete events, in blocks of PQ. The queue shows an event only when it is complete; the loader fills one set of
// registers, one query a cycle, while the blocks before it are worked on from the other set. The last block of an event may hold
// fewer queries. A block is offered with its event's descriptor; the cycle after `b_take` the sets change places, and two cycles
// after it `word` selects what leaves on `q` (one more cycle: q is registered) of every query of the block.
// At most one block every PQ + 1 cycles; with BEATS > 1, where a query stays offered for BEATS cycles and comes out of the queue every
// BEATS + 1 cycles, every PQ * (BEATS + 1) + 1.
//
// ZEROS = 1: of a block with an odd number of queries, the one after the last is zeros. For those who multiply queries in pairs it does not
// matter what it is, but that it is known: to a simulator a product with an unknown bit is all unknown.
`default_nettype none

module ts_attn_query #(
    parameter H     = 1,
    parameter DH    = 1,
    parameter PQ    = 1,
    parameter PH    = 1,
    parameter PD    = 1,
    parameter NMAX  = 16,
    parameter QW    = 8,
    parameter LW    = 1,
    parameter EW    = 4, // of the rest of an event's descriptor
    parameter ZEROS = 0,
    parameter ROW   = 1, // steps of ts_attn_final for a query
    parameter BEATS = 1, // pieces in which the queue holds a query
    parameter STYLE = "block",
    parameter NW    = $clog2(NMAX + 1), // derived, as all below
    parameter HG    = (H + PH - 1) / PH,
    parameter DC    = (DH + PD - 1) / PD,
    parameter WW    = HG*DC > 1 ? $clog2(HG * DC) : 1,
    parameter CW    = $clog2(PQ + 1),
    parameter HOW   = $clog2(PQ * ROW + DC)
) (
    input  wire                  clk,
    input  wire                  rst,
    // tokens
    input  wire                  s_valid,
    output wire                  s_ready,
    input  wire [H*DH*QW-1:0]    s_data,
    input  wire                  s_last,
    input  wire                  s_drop,
    // complete events
    input  wire                  e_valid,
    output wire                  e_ready,
    input  wire [NW-1:0]         e_n,
    input  wire [EW-1:0]         e_info,
    // blocks
    output wire                  b_valid,
    input  wire                  b_take,
    output reg  [NW-1:0]         b_n,     // keys (and queries) of the event
    output reg  [EW-1:0]         b_info,
    output wire [CW-1:0]         b_count, // queries of the block
    output reg  [HOW-1:0]        b_hold,  // DC - 2 and the steps of ts_attn_final for these
    output wire                  b_last,  // the event's last block
    input  wire [WW-1:0]         word,
    output reg  [PQ*PH*PD*QW-1:0] q,
    output wire                  fault // ts_watch
);
    localparam        VECTOR = H * DH * QW;
    localparam        WORDS  = HG * DC;
    localparam        WORD   = PH * PD * QW;
    localparam [31:0] STEPS  = ROW;
    localparam [31:0] FIRST  = ROW + DC - 2;

    wire              q_valid, q_ready;
    wire [VECTOR-1:0] q_data;
    ts_queue_narrow #(.WIDTH(VECTOR), .DEPTH(NMAX + PQ), .BEATS(BEATS), .LW(LW), .STYLE(STYLE)) queue (
        .clk(clk), .rst(rst), .s_valid(s_valid), .s_ready(s_ready), .s_data(s_data), .s_last(s_last), .s_drop(s_drop),
        .m_valid(q_valid), .m_ready(q_ready), .m_data(q_data), .fault(fault));

    // The loader.
    reg           active; // an event is being loaded
    reg  [NW-1:0] left;   // its queries that have not been loaded
    reg  [CW-1:0] fill;   // queries in the set
    reg  [PQ-1:0] place;  // one-hot: where the next one goes
    reg           full;   // the set is complete
    wire          load = q_valid && q_ready;
    wire          last_load = left == {{(NW-1){1'b0}}, 1'b1};
    wire [PQ:0]   place_up = {place, place[PQ-1]};

    assign e_ready = !active;
    assign q_ready = active && !full;
    assign b_valid = full;
    assign b_count = fill;
    assign b_last  = left == {NW{1'b0}};

    always @(posedge clk)
        if (rst) begin
            active <= 1'b0;
            full   <= 1'b0;
        end else begin
            active <= active ? !(b_take && b_last) : e_valid;
            full   <= full ? !b_take : load && (place[PQ-1] || last_load);
        end

    always @(posedge clk)
        if (!active) begin
            left   <= e_n;
            b_n    <= e_n;
            b_info <= e_info;
        end else if (load)
            left   <= left - 1'b1;

    always @(posedge clk)
        if (rst || b_take) begin
            fill  <= {CW{1'b0}};
            place <= {{PQ-1{1'b0}}, 1'b1};
        end else if (load) begin
            fill  <= fill + 1'b1;
            place <= place_up[PQ-1:0];
        end
    always @(posedge clk)
        if (load)
            b_hold <= place[0] ? FIRST[HOW-1:0] : b_hold + STEPS[HOW-1:0];
    wire unused = &{1'b0, place_up[PQ]};

    reg swap;
    always @(posedge clk)
        swap <= b_take;

    // Both sets hold a query in words as K's.
    wire [WORDS*WORD-1:0] folded;
    genvar i, g, c, h, d;
    generate
        for (g = 0; g < HG; g = g + 1) begin : g_group
            for (c = 0; c < DC; c = c + 1) begin : g_chunk
                for (h = 0; h < PH; h = h + 1) begin : g_head
                    for (d = 0; d < PD; d = d + 1) begin : g_channel
                        localparam TO   = ((g*DC + c)*PH + h)*PD + d;
                        localparam FROM = (g*PH + h)*DH + c*PD + d;
                        if (g*PH + h < H && c*PD + d < DH) begin : g_value
                            assign folded[TO*QW +: QW] = q_data[FROM*QW +: QW];
                        end else begin : g_zero
                            assign folded[TO*QW +: QW] = {QW{1'b0}};
                        end
                    end
                end
            end
        end
        for (i = 0; i < PQ; i = i + 1) begin : g_query
            reg  [WORDS*WORD-1:0] next, now;
            wire [WORD-1:0]       picked;

            always @(posedge clk) begin
                if (load && place[i])
                    next <= folded;
                else if (ZEROS != 0 && i % 2 == 1 && load && place[i-i%2])
                    next <= {WORDS*WORD{1'b0}};
                if (swap)
                    now <= next;
            end
            ts_pick #(.N(WORDS), .WIDTH(WORD)) pick (.x(now), .sel(word), .y(picked));
            always @(posedge clk)
                q[i*WORD +: WORD] <= picked;
        end
    endgenerate
endmodule

`default_nettype wire
