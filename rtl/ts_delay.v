// WIDTH bits, CYCLES (>= 0) later. No reset: synthesis makes shift-register LUTs of it.
`default_nettype none

module ts_delay #(
    parameter WIDTH  = 1,
    parameter CYCLES = 1
) (
    input  wire             clk,
    input  wire [WIDTH-1:0] in,
    output wire [WIDTH-1:0] out
);
    generate
        if (CYCLES == 0) begin : g_wire
            wire unused = clk;
            assign out = in;
        end else if (CYCLES == 1) begin : g_one
            reg [WIDTH-1:0] q;
            always @(posedge clk)
                q <= in;
            assign out = q;
        end else begin : g_many
            reg [CYCLES*WIDTH-1:0] q;
            always @(posedge clk)
                q <= {q[(CYCLES-1)*WIDTH-1:0], in};
            assign out = q[(CYCLES-1)*WIDTH +: WIDTH];
        end
    endgenerate
endmodule

`default_nettype wire
