// Says of words that are used whether they are as they were written: a word and its parity bit have an even number of ones. used: a token
// uses the word in this cycle. flipped is up LEVELS cycles later, for one, where that word has an odd number. LEVELS: 1 up to 36 bits, 2 up to
// 1,296, 3 up to 46,656, else 4. It stands beside the data: nothing waits for it.
`default_nettype none

module ts_parity #(
    parameter WIDTH = 73 // the parity bit among them
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             used,
    input  wire [WIDTH-1:0] word,
    output wire             flipped
);
    localparam SPAN   = 36; // of a register: two levels of LUTs
    localparam LEVELS = WIDTH <= 36 ? 1 : WIDTH <= 36 * 36 ? 2 : WIDTH <= 36 * 36 * 36 ? 3 : 4;

    // Bits in front of a level.
    function integer bits_at(input integer level);
        integer l;
        begin
            bits_at = WIDTH;
            for (l = 0; l < level; l = l + 1)
                bits_at = (bits_at + SPAN - 1) / SPAN;
        end
    endfunction

    wire used_last;
    ts_pulse #(.CYCLES(LEVELS - 1)) used_line (.clk(clk), .rst(rst), .in(used), .out(used_last));

    genvar l, i, k;
    generate
        for (l = 0; l < LEVELS; l = l + 1) begin : g_level
            localparam N = bits_at(l);
            wire [N-1:0] in;
            if (l == 0) begin : g_first
                assign in = word;
            end else begin : g_next
                assign in = g_level[l-1].odd;
            end
            reg [(N+SPAN-1)/SPAN-1:0] odd;
            for (i = 0; i * SPAN < N; i = i + 1) begin : g_span
                localparam W = N - i * SPAN < SPAN ? N - i * SPAN : SPAN;
                // By sixes: of a wider one synthesis makes a tree of pairs, which takes twice the LUTs.
                wire [(W+5)/6-1:0] sixth;
                for (k = 0; k * 6 < W; k = k + 1) begin : g_six
                    localparam V = W - k * 6 < 6 ? W - k * 6 : 6;
                    assign sixth[k] = ^in[i*SPAN+k*6 +: V];
                end
                if (l == LEVELS - 1) begin : g_last
                    always @(posedge clk)
                        odd[i] <= !rst && used_last && ^sixth;
                end else begin : g_inner
                    always @(posedge clk)
                        odd[i] <= ^sixth;
                end
            end
        end
    endgenerate
    assign flipped = g_level[LEVELS-1].odd;
endmodule

`default_nettype wire
