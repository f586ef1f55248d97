// Simple dual-port memory, read latency 2 in every STYLE ("block", "distributed", "ultra"): the array's register, then the
// output register. Always reading; a read of the word that is being written returns either.
// Emitted as slices of 72 bits, the last one narrower, so that what synthesis makes of it can be counted beforehand.
//   INIT: slice i starts with the image <INIT><i, three digits>.hex (not "ultra", which has no initial contents).
//   CFG = 0: written by we, waddr, wdata. CFG = 1: written slice by slice over the configuration bus where cfg_mem == CFG_ID.
`default_nettype none

module ts_mem #(
    parameter WIDTH  = 8,
    parameter DEPTH  = 16,
    parameter STYLE  = "block",
    parameter INIT   = "",
    parameter CFG    = 0,
    parameter CFG_ID = 0,
    parameter AW     = DEPTH > 1 ? $clog2(DEPTH) : 1 // derived
) (
    input  wire             clk,
    input  wire             we,
    input  wire [AW-1:0]    waddr,
    input  wire [WIDTH-1:0] wdata,
    input  wire [AW-1:0]    raddr,
    output wire [WIDTH-1:0] rdata,
    input  wire             cfg_we,
    input  wire [7:0]       cfg_mem,
    input  wire [9:0]       cfg_slice,
    input  wire [15:0]      cfg_addr,
    input  wire [71:0]      cfg_data
);
    // Which of the two write ports is used is a parameter, and the bus is wider than most memories.
    wire              unused = &{1'b0, we, waddr, wdata, cfg_we, cfg_mem, cfg_slice, cfg_addr, cfg_data};
    localparam [31:0] ID    = CFG_ID;
    localparam [79:0] DIGIT = "9876543210";

    genvar i;
    generate
        if (AW > 16 && CFG != 0) begin : g_guard
            ts_mem_is_too_deep_for_the_configuration_bus guard ();
        end
        for (i = 0; i * 72 < WIDTH; i = i + 1) begin : g_slice
            localparam        W = WIDTH - i * 72 < 72 ? WIDTH - i * 72 : 72;
            localparam [31:0] NUMBER = i;
            localparam [23:0] DIGITS = {DIGIT[(NUMBER/100%10)*8 +: 8], DIGIT[(NUMBER/10%10)*8 +: 8], DIGIT[(NUMBER%10)*8 +: 8]};
            wire              slice_we = CFG != 0 ? cfg_we && cfg_mem == ID[7:0] && cfg_slice == NUMBER[9:0] : we;
            wire [AW-1:0]     slice_waddr = CFG != 0 ? cfg_addr[AW-1:0] : waddr;
            wire [W-1:0]      slice_wdata = CFG != 0 ? cfg_data[W-1:0] : wdata[i*72 +: W];
            reg  [W-1:0]      array_out, out;

            always @(posedge clk)
                out <= array_out;
            assign rdata[i*72 +: W] = out;

            if (STYLE == "block") begin : g_block
                (* ram_style = "block" *) reg [W-1:0] array [0:DEPTH-1];
                if (INIT != "") begin : g_init
                    initial $readmemh({INIT, DIGITS, ".hex"}, array);
                end
                always @(posedge clk)
                    if (slice_we)
                        array[slice_waddr] <= slice_wdata;
                always @(posedge clk)
                    array_out <= array[raddr];
            end else if (STYLE == "distributed") begin : g_distributed
                (* ram_style = "distributed" *) reg [W-1:0] array [0:DEPTH-1];
                if (INIT != "") begin : g_init
                    initial $readmemh({INIT, DIGITS, ".hex"}, array);
                end
                always @(posedge clk)
                    if (slice_we)
                        array[slice_waddr] <= slice_wdata;
                always @(posedge clk)
                    array_out <= array[raddr];
            end else if (STYLE == "ultra") begin : g_ultra
                (* ram_style = "ultra" *) reg [W-1:0] array [0:DEPTH-1];
                if (INIT != "") begin : g_guard
                    ts_mem_ultra_has_no_initial_contents guard ();
                end
                always @(posedge clk)
                    if (slice_we)
                        array[slice_waddr] <= slice_wdata;
                always @(posedge clk)
                    array_out <= array[raddr];
            end else begin : g_guard
                ts_mem_STYLE_is_block_distributed_or_ultra guard ();
            end
        end
    endgenerate
endmodule

`default_nettype wire
