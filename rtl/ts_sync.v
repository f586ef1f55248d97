// The only synchroniser: bits of another clock in this one, STAGES (>= 2) registers later. Each bit settles by itself: only single bits, and
// Gray values that change in one bit at a time, may come this way, each from a register. Constraints: ts_sync.xdc.tcl.
`default_nettype none

module ts_sync #(
    parameter WIDTH  = 1,
    parameter STAGES = 2
) (
    input  wire             clk,
    input  wire [WIDTH-1:0] in,
`ifdef FORMAL
    output wire [STAGES*WIDTH-1:0] f_chain, // for the proofs of the modules around it
`endif
    output wire [WIDTH-1:0] out
);
    (* ASYNC_REG = "TRUE", SHREG_EXTRACT = "NO" *) reg [STAGES*WIDTH-1:0] chain = {STAGES*WIDTH{1'b0}};
    wire [(STAGES+1)*WIDTH-1:0] all = {chain, in};

    always @(posedge clk)
        chain <= all[STAGES*WIDTH-1:0];
    assign out = all[STAGES*WIDTH +: WIDTH];

    generate
        if (STAGES < 2) begin : g_guard
            ts_sync_needs_STAGES_of_at_least_2 guard ();
        end
    endgenerate
`ifdef FORMAL
    assign f_chain = chain;
`endif
endmodule

`default_nettype wire
