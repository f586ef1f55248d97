// The rules of AXI4-Lite at a slave's port: five channels that keep what they offer (ts_axis_check); a write response only to a write of
// which address and data have been taken, a read's only to an address, one each; responses OKAY, SLVERR or DECERR; no X, in the bytes that
// are written and in what is read with OKAY neither. The master's side is assumed in proofs. At most 2^CW - 1 accesses are open each
// way; the outputs count them.
`default_nettype none

module ts_axil_check #(
    parameter ADDRW = 12,
    parameter CW    = 3
) (
    input wire             clk,
    input wire             rst,
    input wire             awvalid,
    input wire             awready,
    input wire [ADDRW-1:0] awaddr,
    input wire             wvalid,
    input wire             wready,
    input wire [31:0]      wdata,
    input wire [3:0]       wstrb,
    input wire             bvalid,
    input wire             bready,
    input wire [1:0]       bresp,
    input wire             arvalid,
    input wire             arready,
    input wire [ADDRW-1:0] araddr,
    input wire             rvalid,
    input wire             rready,
    input wire [31:0]      rdata,
    input wire [1:0]       rresp,
    output reg [CW-1:0]    addresses, // taken, and not answered
    output reg [CW-1:0]    words,
    output reg [CW-1:0]    reads
);
    ts_axis_check #(.DATAW(1), .SIDEW(ADDRW), .ASSUME(1)) aw (
        .clk(clk), .rst(rst), .valid(awvalid), .ready(awready), .data(1'b0), .side(awaddr));
    ts_axis_check #(.DATAW(32), .SIDEW(4), .ASSUME(1)) w (
        .clk(clk), .rst(rst), .valid(wvalid), .ready(wready), .data(wdata), .side(wstrb));
    ts_axis_check #(.DATAW(1), .SIDEW(2)) b (
        .clk(clk), .rst(rst), .valid(bvalid), .ready(bready), .data(1'b0), .side(bresp));
    ts_axis_check #(.DATAW(1), .SIDEW(ADDRW), .ASSUME(1)) ar (
        .clk(clk), .rst(rst), .valid(arvalid), .ready(arready), .data(1'b0), .side(araddr));
    ts_axis_check #(.DATAW(32), .SIDEW(2)) r (
        .clk(clk), .rst(rst), .valid(rvalid), .ready(rready), .data(rdata), .side(rresp));

    always @(posedge clk) begin
        addresses <= rst ? {CW{1'b0}} : addresses + {{CW-1{1'b0}}, awvalid && awready} - {{CW-1{1'b0}}, bvalid && bready};
        words     <= rst ? {CW{1'b0}} : words + {{CW-1{1'b0}}, wvalid && wready} - {{CW-1{1'b0}}, bvalid && bready};
        reads     <= rst ? {CW{1'b0}} : reads + {{CW-1{1'b0}}, arvalid && arready} - {{CW-1{1'b0}}, rvalid && rready};
    end
    wire answers = (!bvalid || (addresses != {CW{1'b0}} && words != {CW{1'b0}} && bresp != 2'b01)) &&
                   (!rvalid || (reads != {CW{1'b0}} && rresp != 2'b01));

`ifdef FORMAL
    always @(posedge clk)
        assert (rst || answers);
`else
    wire [3:0] unknown = {^wdata[31:24] === 1'bx, ^wdata[23:16] === 1'bx, ^wdata[15:8] === 1'bx, ^wdata[7:0] === 1'bx};
    always @(posedge clk)
        if (rst === 1'b0) begin
            if (answers !== 1'b1) begin
                $display("FAIL: %m: a response without its access, or one that AXI4-Lite does not have");
                $stop;
            end
            if ((wvalid && (wstrb & unknown) != 4'd0) || (rvalid && rresp == 2'b00 && ^rdata === 1'bx)) begin
                $display("FAIL: %m: X in what is written or read");
                $stop;
            end
            if ((awvalid && awready && &addresses) || (wvalid && wready && &words) || (arvalid && arready && &reads)) begin
                $display("FAIL: %m: more accesses are open than this checker counts");
                $stop;
            end
        end
`endif
endmodule

`default_nettype wire
