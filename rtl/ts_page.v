// First address of a page: page * STRIDE, as a table of constants (a product would take a DSP).
`default_nettype none

module ts_page #(
    parameter LW     = 1,
    parameter PAGES  = 1,
    parameter STRIDE = 1,
    parameter AW     = 1
) (
    input  wire [LW-1:0] page,
    output wire [AW-1:0] base
);
    genvar p, n;
    generate
        // Bit n is set on the pages whose base has it.
        for (n = 0; n < AW; n = n + 1) begin : g_bit
            wire [PAGES-1:0] hit;
            for (p = 0; p < PAGES; p = p + 1) begin : g_page
                localparam [31:0] NUMBER = p;
                localparam [31:0] BASE   = p * STRIDE;
                assign hit[p] = BASE[n] && page == NUMBER[LW-1:0];
            end
            assign base[n] = |hit;
        end
    endgenerate
endmodule

`default_nettype wire
