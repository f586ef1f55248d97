// A page memory that a loader fills: one write port of LANES slices of 72 bits, one read port of the whole word. Slice i of a word is
// written with group i / LANES, from lane i % LANES. DEPTH = page buffers x words a page; read latency 2 as in ts_mem. What is written
// in cycle t is read by an address that comes in t + 2 or later. PARITY = 1: the top bit of the words that are loaded is a parity bit, which
// rdata has not; used: a token uses the word in rdata; flipped (ts_parity): it was not as it was made.
`default_nettype none

module ts_page_mem #(
    parameter WIDTH = 144, // of rdata
    parameter DEPTH = 16,
    parameter STYLE = "block",
    parameter LANES = 1,
    parameter PARITY = 0,
    parameter AW    = DEPTH > 1 ? $clog2(DEPTH) : 1 // derived
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                we, // for this memory
    input  wire [7:0]          group,
    input  wire [15:0]         waddr,
    input  wire [LANES*72-1:0] wdata,
    input  wire [AW-1:0]       raddr,
    input  wire                used,
    output wire [WIDTH-1:0]    rdata,
    output wire                flipped
);
    localparam SPAN = LANES * 72;
    localparam ALL  = WIDTH + (PARITY != 0 ? 1 : 0);

    // The bus comes from afar and goes to every slice.
    reg  [AW-1:0]   waddr_1;
    reg  [SPAN-1:0] wdata_1;
    wire            unused = &{1'b0, waddr, wdata_1};

    wire [ALL-1:0]  word;

    assign rdata = word[WIDTH-1:0];
    always @(posedge clk) begin
        waddr_1 <= waddr[AW-1:0];
        wdata_1 <= wdata;
    end

    genvar g;
    generate
        if (AW > 16) begin : g_guard
            ts_page_mem_is_too_deep_for_the_loader guard ();
        end
        if (ALL > 256 * SPAN) begin : g_guard_width
            ts_page_mem_word_has_more_than_256_groups_of_LANES_slices guard ();
        end
        for (g = 0; g * SPAN < ALL; g = g + 1) begin : g_group
            localparam        W = ALL - g * SPAN < SPAN ? ALL - g * SPAN : SPAN;
            localparam [31:0] NUMBER = g;
            reg               we_1;
            always @(posedge clk)
                we_1 <= we && group == NUMBER[7:0];
            ts_mem #(.WIDTH(W), .DEPTH(DEPTH), .STYLE(STYLE)) mem (
                .clk(clk), .we(we_1), .waddr(waddr_1), .wdata(wdata_1[W-1:0]), .raddr(raddr), .rdata(word[g*SPAN +: W]),
                .cfg_we(1'b0), .cfg_mem(8'd0), .cfg_slice(10'd0), .cfg_addr(16'd0), .cfg_data(72'd0));
        end
        if (PARITY != 0) begin : g_parity
            ts_parity #(.WIDTH(ALL)) parity (.clk(clk), .rst(rst), .used(used), .word(word), .flipped(flipped));
        end else begin : g_no_parity
            assign flipped = 1'b0;
            wire unused_parity = &{1'b0, rst, used};
        end
    endgenerate
endmodule

`default_nettype wire
