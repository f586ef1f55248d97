// CRC-32C of the frames of a link (docs/links.md), a word a cycle: `crc` is the remainder of the frame up to and including the word
// accepted three cycles before. s_head marks the word that completes a header, where a frame's sum starts: over the 64 bits of the
// header, which on a link of 32 bits are this word and the one before it.
// The words' share is made ahead, 32 bits at a time, so that the loop through the register is one multiplication by a constant: two
// levels of LUTs at every width. Cost: about 200 + 4 * LINKW LUTs, 68 + LINKW flip-flops (32 bits: 164).
`default_nettype none

module ts_link_crc #(
    parameter LINKW = 64
) (
    input  wire             clk,
    input  wire             s_valid,
    input  wire             s_head,
    input  wire [LINKW-1:0] s_word,
    output reg  [31:0]      crc
);
    localparam CHUNKS = LINKW / 32;

    generate
        if (LINKW < 32 || LINKW % 32 != 0) begin : g_guard
            ts_link_crc_needs_LINKW_a_multiple_of_32 guard ();
        end
    endgenerate

    // ---- 1: share of each chunk of the word
    reg                  valid_1, head_1;
    reg  [CHUNKS*32-1:0] share;
    wire [CHUNKS*32-1:0] share_next;
    genvar i, j;
    generate
        for (i = 0; i < CHUNKS; i = i + 1) begin : g_chunk
            ts_crc #(.W(32), .SHIFT(32 * (i + 1))) chunk (.data(s_word[i*32 +: 32]), .rest(share_next[i*32 +: 32]));
        end
    endgenerate
    always @(posedge clk) begin
        valid_1 <= s_valid;
        head_1  <= s_head;
        share   <= share_next;
    end

    // ---- 2: of the word, and of the header that it completes
    reg         valid_2, head_2;
    reg  [31:0] word_2, header_2;
    wire [31:0] word_share, header_share;
    generate
        if (CHUNKS == 1) begin : g_narrow
            reg  [31:0] prior; // share of the valid word before
            wire [31:0] moved;
            always @(posedge clk)
                if (valid_1)
                    prior <= share;
            ts_crc #(.W(32), .SHIFT(32)) upper (.data(prior), .rest(moved));
            assign word_share   = share;
            assign header_share = moved ^ share;
        end else begin : g_wide
            for (i = 0; i < 32; i = i + 1) begin : g_bit
                wire [CHUNKS-1:0] column;
                for (j = 0; j < CHUNKS; j = j + 1) begin : g_row
                    assign column[j] = share[j*32 + i];
                end
                assign word_share[i] = ^column;
            end
            assign header_share = word_share;
        end
    endgenerate
    always @(posedge clk) begin
        valid_2  <= valid_1;
        head_2   <= head_1;
        word_2   <= word_share;
        header_2 <= header_share;
    end

    // ---- 3: of the frame
    wire [31:0] carried;
    ts_crc #(.W(32), .SHIFT(LINKW)) carry (.data(crc), .rest(carried));
    always @(posedge clk)
        if (valid_2)
            crc <= head_2 ? header_2 : carried ^ word_2;
endmodule

`default_nettype wire
