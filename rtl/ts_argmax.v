// The largest of M signed values and its index (the lowest where several are equal): one {class[32], value[32]} a token.
// A token comes in beats of NR values as from ts_linear: beat j, lane i is value j*NR + i (NR divides PM, so that groups of PM follow
// each other without gaps), the last one marked by s_eot; values from index M on are ignored.
// One beat a cycle; latency from a token's last beat to m_valid: ceil(log2 NR) + 4.
`default_nettype none

module ts_argmax #(
    parameter M    = 10,
    parameter PM   = 4,
    parameter NR   = 2,
    parameter YW   = 16,
    parameter TAGW = 3
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [NR*YW-1:0] s_data,
    input  wire [TAGW-1:0]  s_tag,
    input  wire             s_eot,
    output wire             m_valid,
    input  wire             m_ready,
    output wire [63:0]      m_data, // {class, value}
    output wire [TAGW-1:0]  m_tag
);
    localparam        LEVELS = $clog2(NR);
    localparam        LEAVES = 1 << LEVELS;
    localparam        LIW    = LEVELS > 0 ? LEVELS : 1; // lane
    localparam        CW     = $clog2((M + PM - 1) / PM * PM + 1); // class
    localparam        XW     = YW + 1; // room for a value below all others, which ignored lanes have
    localparam [XW-1:0] LOWEST = {1'b1, {YW{1'b0}}};
    localparam        REAL   = (M + NR - 1) / NR; // beats with values
    localparam [31:0] FINAL  = (REAL - 1) * NR;   // first index of the last of them
    localparam [31:0] STEP   = NR;
    localparam        REST   = M - (REAL - 1) * NR; // values in it

    generate
        if (NR < 1 || PM % NR != 0 || M < 1 || YW > 32 || CW > 32) begin : g_guard
            ts_argmax_needs_NR_that_divides_PM_and_values_and_classes_of_at_most_32_bits guard ();
        end
    endgenerate

    // Everything moves at once, unless a result has to wait.
    reg  result;
    wire out_ready;
    wire move = !result || out_ready;
    assign s_ready = move;

    // ---- Where in its token a beat is
    reg  [CW-1:0] base; // index of lane 0
    reg           past; // all values have been seen
    wire          take = s_valid && move;
    wire          at_final = base == FINAL[CW-1:0];

    always @(posedge clk)
        if (rst) begin
            base <= {CW{1'b0}};
            past <= 1'b0;
        end else if (take) begin
            base <= s_eot ? {CW{1'b0}} : base + STEP[CW-1:0];
            past <= !s_eot && (past || at_final);
        end

    // ---- The best lane of the beat: a tree with a register after each comparison. Level l holds LEAVES >> l candidates.
    genvar l, i;
    generate
        for (l = 0; l <= LEVELS; l = l + 1) begin : g_level
            wire [(LEAVES>>l)*XW-1:0]  value;
            wire [(LEAVES>>l)*LIW-1:0] lane;
            for (i = 0; i < LEAVES >> l; i = i + 1) begin : g_node
                reg [XW-1:0]  best;
                reg [LIW-1:0] best_lane;
                assign value[i*XW +: XW]   = best;
                assign lane[i*LIW +: LIW] = best_lane;
                if (l == 0 && i < NR) begin : g_input
                    localparam [31:0] LANE = i;
                    wire ignored = past || (i >= REST && at_final);
                    always @(posedge clk)
                        if (move) begin
                            best      <= ignored ? LOWEST : {s_data[i*YW+YW-1], s_data[i*YW +: YW]};
                            best_lane <= LANE[LIW-1:0];
                        end
                end else if (l == 0) begin : g_none
                    always @(posedge clk)
                        if (move) begin
                            best      <= LOWEST;
                            best_lane <= {LIW{1'b0}};
                        end
                end else begin : g_choice
                    wire signed [XW-1:0] a = g_level[l-1].value[2*i*XW +: XW];
                    wire signed [XW-1:0] b = g_level[l-1].value[(2*i+1)*XW +: XW];
                    wire                 upper = b > a;
                    always @(posedge clk)
                        if (move) begin
                            best      <= upper ? b : a;
                            best_lane <= upper ? g_level[l-1].lane[(2*i+1)*LIW +: LIW] : g_level[l-1].lane[2*i*LIW +: LIW];
                        end
                end
            end
        end
    endgenerate

    // What goes along with the beat.
    reg  [LEVELS:0]                valid;
    wire [LEVELS+1:0]              valid_all = {valid, take};
    reg  [(LEVELS+1)*(CW+1+TAGW)-1:0] along;
    wire [(LEVELS+2)*(CW+1+TAGW)-1:0] along_all = {along, base, s_eot, s_tag};
    wire [CW-1:0]                  beat_base;
    wire                           beat_eot;
    wire [TAGW-1:0]                beat_tag;
    assign {beat_base, beat_eot, beat_tag} = along[LEVELS*(CW+1+TAGW) +: CW+1+TAGW];

    always @(posedge clk)
        if (rst)
            valid <= {LEVELS+1{1'b0}};
        else if (move)
            valid <= valid_all[LEVELS:0];
    always @(posedge clk)
        if (move)
            along <= along_all[(LEVELS+1)*(CW+1+TAGW)-1:0];

    // ---- The best beat of the token
    reg                  new_valid, new_first, new_eot;
    reg  signed [XW-1:0] new_value;
    reg  [CW-1:0]        new_index;
    reg  [TAGW-1:0]      new_tag, tag;
    reg  signed [XW-1:0] value;
    reg  [CW-1:0]        index;
    wire                 better = new_first || new_value > value;

    always @(posedge clk)
        if (rst) begin
            new_valid <= 1'b0;
            result    <= 1'b0;
        end else if (move) begin
            new_valid <= valid[LEVELS];
            result    <= new_valid && new_eot;
        end
    always @(posedge clk)
        if (move) begin
            new_first <= beat_base == {CW{1'b0}};
            new_eot   <= beat_eot;
            new_value <= g_level[LEVELS].value;
            new_index <= beat_base + {{(CW-LIW){1'b0}}, g_level[LEVELS].lane};
            new_tag   <= beat_tag;
            tag       <= new_tag;
            if (new_valid && better) begin
                value <= new_value;
                index <= new_index;
            end
        end

    wire [63:0] word = {{(32-CW){1'b0}}, index, {(33-YW){value[YW-1]}}, value[YW-2:0]};
    wire unused = &{1'b0, value[YW], valid_all[LEVELS+1], along_all[(LEVELS+1)*(CW+1+TAGW) +: CW+1+TAGW]};
    ts_skid #(.WIDTH(64 + TAGW)) slice (
        .clk(clk), .rst(rst), .s_valid(result), .s_ready(out_ready), .s_data({tag, word}),
        .m_valid(m_valid), .m_ready(m_ready), .m_data({m_tag, m_data}));
endmodule

`default_nettype wire
