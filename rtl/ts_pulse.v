// Control bits, CYCLES (>= 0) later, all zero after rst. (Data goes through ts_delay.)
`default_nettype none

module ts_pulse #(
    parameter WIDTH  = 1,
    parameter CYCLES = 1
) (
    input  wire             clk,
    input  wire             rst,
    input  wire [WIDTH-1:0] in,
    output wire [WIDTH-1:0] out
);
    generate
        if (CYCLES == 0) begin : g_wire
            assign out = in;
            wire unused = &{1'b0, clk, rst};
        end else begin : g_line
            reg  [CYCLES*WIDTH-1:0]     line;
            wire [(CYCLES+1)*WIDTH-1:0] all = {line, in};

            always @(posedge clk)
                line <= rst ? {CYCLES*WIDTH{1'b0}} : all[CYCLES*WIDTH-1:0];
            assign out = all[CYCLES*WIDTH +: WIDTH];
        end
    endgenerate
endmodule

`default_nettype wire
