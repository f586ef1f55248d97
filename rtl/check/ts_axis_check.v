// The rules of a stream with valid and ready, checked where it passes (AXI4-Stream, a channel of AXI4, a stream of the ring): what is offered
// stays, and does not change, until it is taken; nothing is offered in the cycle behind a reset; valid, ready and what comes with the
// data (`side`) are never X.
// In simulation (TS_CHECK) the first break ends the run and names the instance. In proofs (FORMAL) the rules are to be shown, or with
// ASSUME = 1 what may be relied on.
`default_nettype none

module ts_axis_check #(
    parameter DATAW  = 8,
    parameter SIDEW  = 1,
    parameter ASSUME = 0
) (
    input wire             clk,
    input wire             rst,
    input wire             valid,
    input wire             ready,
    input wire [DATAW-1:0] data,
    input wire [SIDEW-1:0] side
);
    reg             started = 1'b0; // `before` and the others are of the cycle before
    reg             reset, waiting;
    reg [DATAW-1:0] data_before;
    reg [SIDEW-1:0] side_before;

    always @(posedge clk) begin
        started     <= 1'b1;
        reset       <= rst;
        waiting     <= !rst && valid && !ready;
        data_before <= data;
        side_before <= side;
    end
    wire stays = !waiting || (valid && data == data_before && side == side_before);
    wire quiet = !reset || !valid;

`ifdef FORMAL
    generate
        if (ASSUME != 0) begin : g_assume
            always @(posedge clk)
                if (started)
                    assume (rst || (stays && quiet));
        end else begin : g_assert
            always @(posedge clk)
                if (started)
                    assert (rst || (stays && quiet));
        end
    endgenerate
`else
    wire unused = ASSUME != 0;
    always @(posedge clk)
        if (started && rst === 1'b0 && reset !== 1'bx) begin
            if (stays !== 1'b1) begin
                $display("FAIL: %m: what was offered was taken back or changed before it was taken");
                $stop;
            end
            if (quiet !== 1'b1) begin
                $display("FAIL: %m: offered in the cycle behind a reset");
                $stop;
            end
            if (valid !== 1'b0 && valid !== 1'b1 || ready !== 1'b0 && ready !== 1'b1 || (valid && ^side === 1'bx)) begin
                $display("FAIL: %m: X on valid, ready or what comes with the data");
                $stop;
            end
        end
`endif
endmodule

`default_nettype wire
