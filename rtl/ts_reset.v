// The reset of one clock domain: arst, of any clock or none, is caught asynchronously, however short it is; rst is up from the next edge of
// clk on, and for at least STAGES cycles after arst has gone. A register of clk: what it resets sees neither edge at a bad time. Up from
// power-up on. Constraints: ts_reset.xdc.tcl.
`default_nettype none

module ts_reset #(
    parameter STAGES = 3
) (
    input  wire clk,
    input  wire arst,
    output reg  rst
);
    (* ASYNC_REG = "TRUE", SHREG_EXTRACT = "NO" *) reg [STAGES-1:0] chain = {STAGES{1'b1}};

    initial rst = 1'b1;
    always @(posedge clk or posedge arst)
        if (arst)
            chain <= {STAGES{1'b1}};
        else
            chain <= {chain[STAGES-2:0], 1'b0};
    always @(posedge clk)
        rst <= chain[STAGES-1];

    generate
        if (STAGES < 2) begin : g_guard
            ts_reset_needs_STAGES_of_at_least_2 guard ();
        end
    endgenerate
endmodule

`default_nettype wire
