// From beats of external memory to words of page memories. A beat has LANES lanes of 64 bits; lane j of the beats becomes lane j (72 bits)
// of the write bus. A page (docs/paging.md):
//     blocks of an extra beat and up to eight data beats: write w of the block has in lane j the data beat's 64 bits below the byte
//     w * LANES + j of the extra beat;
//     at the end a trailer: in lane j {number of the transfer (32 bits), CRC-32C of all the page's beats in that lane (32 bits)}.
// Writes follow the page's words, and inside a word its groups of LANES slices. One beat a cycle, so 8 * LANES bytes a cycle.
//
// `next_` describes the page that begins: it is taken with `turn`, and while `clear` throws all beats away. turn: the beat in hand is a
// trailer. Two cycles after turn, v_valid with v_bad: a check or number was wrong or a beat had an error; the page's last write is
// out three cycles before. The next turn comes three cycles after the last one or later.
`default_nettype none

module ts_page_unpack #(
    parameter LANES = 1
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                clear,
    output wire                pending, // a verdict is on its way
    input  wire [15:0]         next_words_less_1,
    input  wire [7:0]          next_groups_less_1,
    input  wire [15:0]         next_address, // of the page's first word in its memory
    input  wire [31:0]         next_number,
    input  wire                r_valid,
    input  wire                r_error,
    input  wire [LANES*64-1:0] r_data,
    output wire                turn,
    output reg                 v_valid,
    output reg                 v_bad,
    output reg                 w_valid,
    output reg  [7:0]          w_group,
    output reg  [15:0]         w_address,
    output reg  [LANES*72-1:0] w_data
);
    reg                a_valid, a_error;
    reg [LANES*64-1:0] a_data;
    always @(posedge clk) begin
        a_valid <= !rst && r_valid;
        a_error <= r_error;
        a_data  <= r_data;
    end

    // ---- where in its page the beat in hand is
    reg        extra_next, trailer_next;
    reg [2:0]  slot; // of a data beat in its block
    reg [7:0]  group, groups_less_1;
    reg [15:0] words_left; // after this one
    reg [15:0] address;
    reg [31:0] number;
    wire       take = a_valid && !clear;
    wire       word = take && !trailer_next && !extra_next;
    wire       last_group = group == groups_less_1;
    wire       last = last_group && words_left == 16'd0;

    assign turn = take && trailer_next;

    always @(posedge clk)
        if (rst || clear || turn) begin
            extra_next    <= 1'b1;
            trailer_next  <= 1'b0;
            slot          <= 3'd0;
            group         <= 8'd0;
            groups_less_1 <= next_groups_less_1;
            words_left    <= next_words_less_1;
            address       <= next_address;
            number        <= next_number;
        end else if (take) begin
            extra_next   <= !extra_next && slot == 3'd7;
            trailer_next <= word && last;
            if (word) begin
                slot  <= slot + 3'd1;
                group <= last_group ? 8'd0 : group + 8'd1;
                if (last_group) begin
                    words_left <= words_left - 16'd1;
                    address    <= address + 16'd1;
                end
            end
        end

    // ---- words
    reg [LANES*64-1:0] extra; // the bytes of the next word lowest
    always @(posedge clk) begin
        w_valid <= word && !rst;
        if (word) begin
            w_group   <= group;
            w_address <= address;
        end
        if (take)
            extra <= extra_next ? a_data : extra >> 8 * LANES;
    end

    // ---- checks, a lane each
    wire [LANES-1:0] lane_bad;
    reg              checked, any_error, page_error;
    genvar j;
    generate
        for (j = 0; j < LANES; j = j + 1) begin : g_lane
            wire [63:0] beat = a_data[j*64 +: 64];
            wire [31:0] crc_next;
            reg  [31:0] crc;
            reg         bad;
            ts_crc #(.W(64), .SHIFT(32)) step (.data(beat ^ {crc, 32'd0}), .rest(crc_next));
            always @(posedge clk) begin
                if (word)
                    w_data[j*72 +: 72] <= {extra[j*8 +: 8], beat};
                if (rst || clear || turn)
                    crc <= 32'hffffffff;
                else if (take)
                    crc <= crc_next;
                bad <= beat != {number, crc};
            end
            assign lane_bad[j] = bad;
        end
    endgenerate

    assign pending = checked || v_valid;

    always @(posedge clk) begin
        checked    <= turn && !rst;
        page_error <= any_error || a_error;
        if (rst || clear || turn)
            any_error <= 1'b0;
        else if (take)
            any_error <= any_error || a_error;
        v_valid <= checked && !rst;
        v_bad   <= page_error || |lane_bad;
    end

    generate
        if (LANES < 1 || LANES > 8) begin : g_guard
            ts_page_unpack_has_1_to_8_LANES guard ();
        end
    endgenerate
endmodule

`default_nettype wire
