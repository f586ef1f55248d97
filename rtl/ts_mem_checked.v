// A memory on the configuration bus: ts_mem with CFG = 1, whose words have, with PARITY = 1, a parity bit on top (bit WIDTH of the image and
// of what the bus writes). used: a token uses the word in rdata; flipped (ts_parity): it was not as it was written. Read latency 2.
`default_nettype none

module ts_mem_checked #(
    parameter WIDTH  = 8, // of rdata
    parameter DEPTH  = 16,
    parameter STYLE  = "block",
    parameter INIT   = "",
    parameter CFG_ID = 0,
    parameter PARITY = 0,
    parameter AW     = DEPTH > 1 ? $clog2(DEPTH) : 1 // derived
) (
    input  wire             clk,
    input  wire             rst,
    input  wire [AW-1:0]    raddr,
    input  wire             used,
    output wire [WIDTH-1:0] rdata,
    output wire             flipped,
    input  wire             cfg_we,
    input  wire [7:0]       cfg_mem,
    input  wire [9:0]       cfg_slice,
    input  wire [15:0]      cfg_addr,
    input  wire [71:0]      cfg_data
);
    localparam W = WIDTH + (PARITY != 0 ? 1 : 0);

    wire [W-1:0] word;
    assign rdata = word[WIDTH-1:0];
    ts_mem #(.WIDTH(W), .DEPTH(DEPTH), .STYLE(STYLE), .INIT(INIT), .CFG(1), .CFG_ID(CFG_ID)) mem (
        .clk(clk), .we(1'b0), .waddr({AW{1'b0}}), .wdata({W{1'b0}}), .raddr(raddr), .rdata(word),
        .cfg_we(cfg_we), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), .cfg_addr(cfg_addr), .cfg_data(cfg_data));
    generate
        if (PARITY != 0) begin : g_parity
            ts_parity #(.WIDTH(W)) parity (.clk(clk), .rst(rst), .used(used), .word(word), .flipped(flipped));
        end else begin : g_no_parity
            assign flipped = 1'b0;
            wire unused = &{1'b0, rst, used};
        end
    endgenerate
endmodule

`default_nettype wire
