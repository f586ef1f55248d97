// Which events used a bad page: GATES gates report numbers of events (modulo 2^EVW) while their tokens pass, and `error` says of the
// event whose results are leaving that it was among them. out_done: the last result of an event that was not refused was taken.
// Fewer than 2^EVW events may be between a gate and the output (ts_admit lets in QDEPTH at most whose results have not entered
// ts_output's slice); a report comes before the event's last result does.
`default_nettype none

module ts_page_poison #(
    parameter GATES = 1,
    parameter EVW   = 3
) (
    input  wire                 clk,
    input  wire                 rst,
    input  wire [GATES-1:0]     hit,
    input  wire [GATES*EVW-1:0] hit_event,
    input  wire                 out_done,
    output wire                 error
);
    reg [(1<<EVW)-1:0] poisoned;
    reg [EVW-1:0]      leaving;

    // By ands and ors: an index would make a level of multiplexers a bit.
    wire [(1<<EVW)-1:0] out_now;
    assign error = |out_now;

    always @(posedge clk)
        if (rst)
            leaving <= {EVW{1'b0}};
        else if (out_done)
            leaving <= leaving + 1'b1;

    genvar e, g;
    generate
        for (e = 0; e < 1 << EVW; e = e + 1) begin : g_event
            localparam [31:0] NUMBER = e;
            wire [GATES-1:0] mine;
            for (g = 0; g < GATES; g = g + 1) begin : g_gate
                assign mine[g] = hit[g] && hit_event[g*EVW +: EVW] == NUMBER[EVW-1:0];
            end
            assign out_now[e] = poisoned[e] && leaving == NUMBER[EVW-1:0];
            always @(posedge clk)
                if (rst)
                    poisoned[e] <= 1'b0;
                else
                    poisoned[e] <= |mine || (poisoned[e] && !(out_done && leaving == NUMBER[EVW-1:0]));
        end
    endgenerate
endmodule

`default_nettype wire
