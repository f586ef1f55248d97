// Scores of PQ queries, PH heads and PKEY key lanes: a ts_attn_score each, or ts_attn_score2 for two at a time. PACK = 1: key lanes 2j and
// 2j+1 meet a query in the same multipliers, k of the second is packed (ts_pack); PACK = 2: queries 2i and 2i+1 meet a key, q of the
// second is packed. An odd last one has its own. Orders: q [query][head][channel], k [key][head][channel], scores [query][head][key].
`default_nettype none

module ts_attn_scores #(
    parameter PQ    = 1,
    parameter PKEY  = 1,
    parameter PH    = 1,
    parameter PD    = 1,
    parameter DC    = 1,
    parameter QW    = 8,
    parameter KW    = 8,
    parameter SHIFT = 4,
    parameter SW    = 8,
    parameter PACK  = 0,
    parameter REG   = 2
) (
    input  wire                     clk,
    input  wire [PQ*PH*PD*QW-1:0]   q,
    input  wire [PKEY*PH*PD*KW-1:0] k,
    input  wire                     first_chunk, // with the dot products
    input  wire [2*PH-1:0]          e,           // with their sums
    input  wire [PKEY-1:0]          none,        // two cycles later
    output wire [PQ*PH*PKEY*SW-1:0] scores
);
    localparam KEY_PAIRS   = PACK == 1 ? PKEY / 2 : 0;
    localparam QUERY_PAIRS = PACK == 2 ? PQ / 2 : 0;

    genvar i, j, h;
    generate
        for (h = 0; h < PH; h = h + 1) begin : g_head
            for (j = 0; j < PKEY; j = j + 1) begin : g_key
                localparam K = (j*PH + h)*PD*KW;
                for (i = 0; i < QUERY_PAIRS; i = i + 1) begin : g_query_pair
                    localparam Q0 = (2*i*PH + h)*PD*QW;
                    localparam Q1 = ((2*i+1)*PH + h)*PD*QW;
                    localparam S0 = ((2*i*PH + h)*PKEY + j)*SW;
                    localparam S1 = (((2*i+1)*PH + h)*PKEY + j)*SW;
                    ts_attn_score2 #(.AW(KW), .BW(QW), .PD(PD), .DC(DC), .SHIFT(SHIFT), .SW(SW), .REG(REG)) lanes (
                        .clk(clk), .a(k[K +: PD*KW]), .b0(q[Q0 +: PD*QW]), .b1_less(q[Q1 +: PD*QW]), .first_chunk(first_chunk),
                        .e(e[2*h +: 2]), .none({2{none[j]}}), .score0(scores[S0 +: SW]), .score1(scores[S1 +: SW]));
                end
            end
            for (i = 2*QUERY_PAIRS; i < PQ; i = i + 1) begin : g_query
                localparam Q = (i*PH + h)*PD*QW;
                localparam S = (i*PH + h)*PKEY*SW;
                for (j = 0; j < KEY_PAIRS; j = j + 1) begin : g_key_pair
                    localparam K0 = (2*j*PH + h)*PD*KW;
                    localparam K1 = ((2*j+1)*PH + h)*PD*KW;
                    ts_attn_score2 #(.AW(QW), .BW(KW), .PD(PD), .DC(DC), .SHIFT(SHIFT), .SW(SW), .REG(REG)) lanes (
                        .clk(clk), .a(q[Q +: PD*QW]), .b0(k[K0 +: PD*KW]), .b1_less(k[K1 +: PD*KW]), .first_chunk(first_chunk),
                        .e(e[2*h +: 2]), .none(none[2*j +: 2]), .score0(scores[S + 2*j*SW +: SW]),
                        .score1(scores[S + (2*j+1)*SW +: SW]));
                end
                for (j = 2*KEY_PAIRS; j < PKEY; j = j + 1) begin : g_one
                    ts_attn_score #(.QW(QW), .KW(KW), .PD(PD), .DC(DC), .SHIFT(SHIFT), .SW(SW), .REG(REG)) lane (
                        .clk(clk), .q(q[Q +: PD*QW]), .k(k[(j*PH + h)*PD*KW +: PD*KW]), .first_chunk(first_chunk),
                        .e(e[2*h +: 2]), .none(none[j]), .score(scores[S + j*SW +: SW]));
                end
            end
        end
    endgenerate
endmodule

`default_nettype wire
