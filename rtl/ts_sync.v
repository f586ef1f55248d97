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
`elsif TS_CHECK
    input  wire             from_clk, // in simulation: the clock of what comes
`endif
    output wire [WIDTH-1:0] out
);
    (* ASYNC_REG = "TRUE", SHREG_EXTRACT = "NO" *) reg [STAGES*WIDTH-1:0] chain = {STAGES*WIDTH{1'b0}};
    wire [WIDTH-1:0]            first;
    wire [(STAGES+1)*WIDTH-1:0] all = {chain, first};

`ifdef FORMAL
    assign first = in;
`elsif TS_CHECK
    // In simulation each bit that the last edge of its clock has changed comes a cycle late now and then, as one does that changes at an edge.
    reg  [30:0]      dice = 31'd1;
    reg  [WIDTH-1:0] waited = {WIDTH{1'b0}}, in_before = {WIDTH{1'b0}};
    wire [WIDTH-1:0] late = (in ^ in_before) & (in ^ chain[WIDTH-1:0]) & dice[WIDTH-1:0] & ~waited;
    always @(posedge from_clk)
        in_before <= in;
    always @(posedge clk) begin
        dice   <= {dice[29:0], dice[30] ^ dice[27]};
        waited <= late;
    end
    assign first = in ^ late;
`else
    assign first = in;
`endif

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
