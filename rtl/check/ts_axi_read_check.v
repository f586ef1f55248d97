// The rules of AXI4 reads without identifiers: both channels keep what they offer (ts_axis_check); bursts are INCR, of beats as wide as the
// bus, aligned to it, and never cross 4 KiB; beats come only to a burst that was taken, in order, and rlast is up with its last one and no other.
// At most BURSTS are on their way (a power of two). Simulation only, but for the streams' part: the bursts themselves are proved in ts_page_burst.
`default_nettype none

module ts_axi_read_check #(
    parameter DATAW  = 64,
    parameter ADDRW  = 40,
    parameter BURSTS = 64
) (
    input wire             clk,
    input wire             rst,
    input wire             arvalid,
    input wire             arready,
    input wire [ADDRW-1:0] araddr,
    input wire [7:0]       arlen,
    input wire [2:0]       arsize,
    input wire [1:0]       arburst,
    input wire             rvalid,
    input wire             rready,
    input wire [DATAW-1:0] rdata,
    input wire [1:0]       rresp,
    input wire             rlast
);
    localparam        BW    = $clog2(BURSTS);
    localparam        SIZE  = $clog2(DATAW / 8);
    localparam [31:0] SIZES = SIZE;

    ts_axis_check #(.DATAW(1), .SIDEW(ADDRW + 13)) ar (
        .clk(clk), .rst(rst), .valid(arvalid), .ready(arready), .data(1'b0), .side({arburst, arsize, arlen, araddr}));
    ts_axis_check #(.DATAW(DATAW), .SIDEW(3)) r (
        .clk(clk), .rst(rst), .valid(rvalid), .ready(rready), .data(rdata), .side({rresp, rlast}));

    reg  [7:0]  length [0:BURSTS-1]; // of the bursts on their way
    reg  [BW:0] taken = {BW+1{1'b0}}, ended = {BW+1{1'b0}};
    reg  [7:0]  beat = 8'd0; // of the burst that comes
    wire        none = taken == ended;
    wire [12:0] behind = {1'b0, araddr[11:0]} + (({5'd0, arlen} + 13'd1) << SIZE);
    wire        fits = arburst == 2'b01 && arsize == SIZES[2:0] && behind <= 13'd4096 && araddr[SIZE-1:0] == {SIZE{1'b0}};
    wire        room = taken[BW-1:0] != ended[BW-1:0] || none;

    always @(posedge clk)
        if (rst) begin
            taken <= {BW+1{1'b0}};
            ended <= {BW+1{1'b0}};
            beat  <= 8'd0;
        end else begin
            if (arvalid && arready) begin
                length[taken[BW-1:0]] <= arlen;
                taken                 <= taken + 1'b1;
            end
            if (rvalid && rready) begin
                beat <= rlast ? 8'd0 : beat + 8'd1;
                if (rlast)
                    ended <= ended + 1'b1;
            end
        end

`ifndef FORMAL
    always @(posedge clk)
        if (rst === 1'b0) begin
            if (arvalid !== 1'b0 && (!fits || !room)) begin
                $display("FAIL: %m: a burst that is not as AXI has it, or one too many");
                $stop;
            end
            if (rvalid !== 1'b0 && (none || rlast != (beat == length[ended[BW-1:0]]))) begin
                $display("FAIL: %m: a beat without a burst, or a last one in the wrong place");
                $stop;
            end
        end
`endif
endmodule

`default_nettype wire
