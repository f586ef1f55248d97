// Watches for what credits exclude: a word that comes where no room is, a word that is taken where none is. `bad` has a bit for each such
// event, or another watch's fault. `fault` is up from the cycle after the first one until reset (two cycles after it with more than 6
// bits, which go through a level of registers). In simulation the first one ends the run and names the instance; in proofs there is none.
`default_nettype none

module ts_watch #(
    parameter N = 1
) (
    input  wire         clk,
    input  wire         rst,
    input  wire [N-1:0] bad,
    output reg          fault
);
    localparam GROUPS = (N + 5) / 6;

    wire [GROUPS-1:0] some;
    genvar g;
    generate
        if (GROUPS == 1) begin : g_direct
            assign some = |bad;
        end else begin : g_tree
            for (g = 0; g < GROUPS; g = g + 1) begin : g_group
                localparam W = N - g * 6 < 6 ? N - g * 6 : 6;
                reg any;
                always @(posedge clk)
                    any <= !rst && |bad[g*6 +: W];
                assign some[g] = any;
            end
        end
    endgenerate

    always @(posedge clk)
        fault <= !rst && (fault || |some);

`ifdef FORMAL
    reg f_started = 0;
    always @(posedge clk) begin
        f_started <= 1;
        if (f_started)
            assert (!fault && (rst || (some == 0 && bad == 0)));
    end
`else
`ifndef SYNTHESIS
    always @(posedge clk)
        if (rst === 1'b0 && |bad !== 1'b0) begin
            $display("FAIL: %m: a word where there was no room, or none where one was taken (events %b)", bad);
            $stop;
        end
`endif
`endif
endmodule

`default_nettype wire
