// Weights at run time: a host's commits become writes of the configuration bus, while no event is inside (idle), and are kept account of. commit, a
// pulse: bit 0 writes `data` to word `address` of the slice, bit 1 to the word behind the last one that was committed, bit 2 begins the
// account anew (0 and 1 not both; 2 alone). memory: {ring, memory}; all of it stands still with the pulse.
//   count: writes since then; refused: commits that were not taken, because an event was inside; both stop at their largest value.
//   crc: CRC-32C over {ring, memory, 6'd0, slice, address, data} of each write, 120 bits, most significant first, begun with ones.
// The write is a cycle behind its commit, the account three.
`default_nettype none

module ts_weights (
    input  wire        clk,
    input  wire        rst,
    input  wire        idle,
    input  wire [2:0]  commit,
    input  wire [15:0] memory,
    input  wire [9:0]  slice,
    input  wire [15:0] address,
    input  wire [71:0] data,
    output reg         cfg_we,
    output reg  [7:0]  cfg_part,
    output reg  [7:0]  cfg_mem,
    output reg  [9:0]  cfg_slice,
    output reg  [15:0] cfg_addr,
    output reg  [71:0] cfg_data,
    output reg  [31:0] crc,
    output reg  [31:0] count,
    output reg  [15:0] refused
);
    localparam [31:0] ONES = 32'hffffffff;

    wire        asked = commit[0] || commit[1];
    wire [31:0] word_rest, carried;
    reg  [31:0] rest;
    reg         rested, clear, cleared, lost;

    ts_crc #(.W(120), .SHIFT(32)) word_crc (
        .data({cfg_part, cfg_mem, 6'd0, cfg_slice, cfg_addr, cfg_data}), .rest(word_rest));
    ts_crc #(.W(32), .SHIFT(120)) carry_crc (.data(crc), .rest(carried));

    always @(posedge clk) begin
        cfg_we <= !rst && asked && idle;
        lost   <= !rst && asked && !idle;
        clear  <= commit[2];
        if (rst) begin
            {cfg_part, cfg_mem, cfg_slice, cfg_addr, cfg_data} <= 114'd0;
        end else if (asked && idle) begin
            {cfg_part, cfg_mem} <= memory;
            cfg_slice           <= slice;
            cfg_addr            <= commit[1] ? cfg_addr + 16'd1 : address;
            cfg_data            <= data;
        end

        rest    <= word_rest;
        rested  <= !rst && cfg_we;
        cleared <= clear;

        if (rst || cleared)
            crc <= ONES;
        else if (rested)
            crc <= carried ^ rest;
        if (rst || cleared)
            count <= 32'd0;
        else if (rested && count != ONES)
            count <= count + 32'd1;
        if (rst || clear)
            refused <= 16'd0;
        else if (lost && refused != 16'hffff)
            refused <= refused + 16'd1;
    end
endmodule

`default_nettype wire
