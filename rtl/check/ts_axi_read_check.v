// The rules of AXI4 reads without identifiers: addresses as ts_axi_burst_check has them; beats stay until they are taken, come only to a burst
// that was taken, in the bursts' order, as many as it asked for, and rlast is up with its last one and no other; no SLVERR or DECERR is a
// reason to send fewer. BURSTS, a power of two, on their way at most. In proofs: ADDRESSES and BEATS say which side is to be shown (0)
// or relied on (1).
`default_nettype none

module ts_axi_read_check #(
    parameter DATAW     = 64,
    parameter ADDRW     = 40,
    parameter BURSTS    = 64,
    parameter ADDRESSES = 0,
    parameter BEATS     = 0
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
    localparam BW = $clog2(BURSTS);

    wire [BW:0] open;
    ts_axi_burst_check #(.DATAW(DATAW), .ADDRW(ADDRW), .BURSTS(BURSTS), .ASSUME(ADDRESSES)) bursts (
        .clk(clk), .rst(rst), .arvalid(arvalid), .arready(arready), .araddr(araddr), .arlen(arlen), .arsize(arsize), .arburst(arburst),
        .ended(rvalid && rready && rlast), .open(open));
    ts_axis_check #(.DATAW(DATAW), .SIDEW(3), .ASSUME(BEATS)) r (
        .clk(clk), .rst(rst), .valid(rvalid), .ready(rready), .data(rdata), .side({rresp, rlast}));

    reg  [7:0]    length [0:BURSTS-1]; // of the bursts on their way
    reg  [BW-1:0] to = {BW{1'b0}}, from = {BW{1'b0}};
    reg  [7:0]    beat = 8'd0;         // of the burst that comes

    always @(posedge clk)
        if (rst) begin
            to   <= {BW{1'b0}};
            from <= {BW{1'b0}};
            beat <= 8'd0;
        end else begin
            if (arvalid && arready) begin
                length[to] <= arlen;
                to         <= to + 1'b1;
            end
            if (rvalid && rready) begin
                beat <= rlast ? 8'd0 : beat + 8'd1;
                if (rlast)
                    from <= from + 1'b1;
            end
        end
    wire right = !rvalid || (open != {BW+1{1'b0}} && rlast == (beat == length[from]) && rresp != 2'b01);

`ifdef FORMAL
    generate
        if (BEATS != 0) begin : g_assume
            always @(posedge clk)
                assume (rst || right);
        end else begin : g_assert
            always @(posedge clk)
                assert (rst || right);
        end
    endgenerate
`else
    wire unused = BEATS != 0;
    always @(posedge clk)
        if (rst === 1'b0 && right !== 1'b1) begin
            $display("FAIL: %m: a beat without a burst, a last one in the wrong place, or a response that AXI's reads do not have");
            $stop;
        end
`endif
endmodule

`default_nettype wire
