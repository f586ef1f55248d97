// The rules of AXI4's channel of read addresses, without identifiers: what is offered stays (ts_axis_check); bursts are INCR, of beats as wide
// as the bus, aligned to it, and never cross 4 KiB; at most BURSTS (a power of two) are on their way. ended: the last beat of a burst is taken.
// In proofs the rules are to be shown, or with ASSUME = 1 what may be relied on. `open` counts the bursts that were taken and have not ended.
`default_nettype none

module ts_axi_burst_check #(
    parameter DATAW  = 64,
    parameter ADDRW  = 40,
    parameter BURSTS = 64,
    parameter ASSUME = 0
) (
    input  wire                    clk,
    input  wire                    rst,
    input  wire                    arvalid,
    input  wire                    arready,
    input  wire [ADDRW-1:0]        araddr,
    input  wire [7:0]              arlen,
    input  wire [2:0]              arsize,
    input  wire [1:0]              arburst,
    input  wire                    ended,
    output reg  [$clog2(BURSTS):0] open
);
    localparam        BW    = $clog2(BURSTS);
    localparam        SIZE  = $clog2(DATAW / 8);
    localparam [31:0] SIZES = SIZE;
    localparam [31:0] MOST  = BURSTS;

    ts_axis_check #(.DATAW(1), .SIDEW(ADDRW + 13), .ASSUME(ASSUME)) ar (
        .clk(clk), .rst(rst), .valid(arvalid), .ready(arready), .data(1'b0), .side({arburst, arsize, arlen, araddr}));

    initial open = {BW+1{1'b0}};
    always @(posedge clk)
        open <= rst ? {BW+1{1'b0}} : open + {{BW{1'b0}}, arvalid && arready} - {{BW{1'b0}}, ended};

    wire [12:0] behind = {1'b0, araddr[11:0]} + (({5'd0, arlen} + 13'd1) << SIZE);
    wire        fits = arburst == 2'b01 && arsize == SIZES[2:0] && behind <= 13'd4096 && araddr[SIZE-1:0] == {SIZE{1'b0}};
    wire        right = !arvalid || (fits && open != MOST[BW:0]);

`ifdef FORMAL
    generate
        if (ASSUME != 0) begin : g_assume
            always @(posedge clk)
                assume (rst || right);
        end else begin : g_assert
            always @(posedge clk)
                assert (rst || right);
        end
    endgenerate
`else
    wire unused = ASSUME != 0;
    always @(posedge clk)
        if (rst === 1'b0 && right !== 1'b1) begin
            $display("FAIL: %m: a burst that is not as AXI has it, or one too many");
            $stop;
        end
`endif
endmodule

`default_nettype wire
