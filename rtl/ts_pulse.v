// One bit, CYCLES (>= 0) later, cleared by reset: for control, where ts_delay is for data.
`default_nettype none

module ts_pulse #(
    parameter CYCLES = 1
) (
    input  wire clk,
    input  wire rst,
    input  wire in,
    output wire out
);
    generate
        if (CYCLES == 0) begin : g_wire
            assign out = in;
            wire unused = &{1'b0, clk, rst};
        end else begin : g_line
            reg  [CYCLES-1:0] line;
            wire [CYCLES:0]   all = {line, in};
            always @(posedge clk)
                line <= rst ? {CYCLES{1'b0}} : all[CYCLES-1:0];
            assign out = all[CYCLES];
        end
    endgenerate
endmodule

`default_nettype wire
