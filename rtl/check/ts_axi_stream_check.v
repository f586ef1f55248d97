// The rules of an AXI4-Stream that carries events in slots (ts_axis_in, ts_axis_out): what is offered stays, nothing is X, bytes that are kept
// included; TKEEP is full but in the word with TLAST, which has the first so many slots of SLOT bytes, one at least.
// In proofs the rules are to be shown, or with ASSUME = 1 what may be relied on.
`default_nettype none

module ts_axi_stream_check #(
    parameter DATAW  = 64,
    parameter SLOT   = 1,
    parameter USERW  = 1,
    parameter ASSUME = 0
) (
    input wire               clk,
    input wire               rst,
    input wire               tvalid,
    input wire               tready,
    input wire [DATAW-1:0]   tdata,
    input wire [DATAW/8-1:0] tkeep,
    input wire               tlast,
    input wire [USERW-1:0]   tuser
);
    localparam BYTES = DATAW / 8;

    ts_axis_check #(.DATAW(DATAW), .SIDEW(USERW + BYTES + 1), .ASSUME(ASSUME)) words (
        .clk(clk), .rst(rst), .valid(tvalid), .ready(tready), .data(tdata), .side({tuser, tlast, tkeep}));

    wire [BYTES/SLOT-1:0] used, whole;
    wire [BYTES-1:0]      unknown; // a byte that is kept, and X
    genvar i;
    generate
        for (i = 0; i < BYTES / SLOT; i = i + 1) begin : g_slot
            assign used[i]  = tkeep[i*SLOT];
            assign whole[i] = tkeep[i*SLOT +: SLOT] == {SLOT{used[i]}};
        end
        for (i = 0; i < BYTES; i = i + 1) begin : g_byte
            assign unknown[i] = tkeep[i] && ^tdata[8*i +: 8] === 1'bx;
        end
    endgenerate
    // Slots from the first one on, without a gap: used + 1 has one bit, and it is not the lowest one.
    wire [BYTES/SLOT:0] behind = {1'b0, used} + 1'b1;
    wire right = !tvalid || (&whole && used[0] && (behind & {1'b0, used}) == 0 && (tlast || &tkeep));

`ifdef FORMAL
    wire unused = &unknown;
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
        if (rst === 1'b0) begin
            if (right !== 1'b1) begin
                $display("FAIL: %m: TKEEP %b that a word%0s does not have", tkeep, tlast ? " with TLAST" : "");
                $stop;
            end
            if (tvalid && unknown != {BYTES{1'b0}}) begin
                $display("FAIL: %m: X in bytes that are kept");
                $stop;
            end
        end
`endif
endmodule

`default_nettype wire
