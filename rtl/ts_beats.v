// Counts the beats of a pass: `start` is its first cycle, which may be the one after the last of the pass before.
`default_nettype none

module ts_beats #(
    parameter BEATS = 4
) (
    input  wire clk,
    input  wire rst,
    input  wire start,
    output wire run,  // BEATS cycles from start on
    output wire last, // the last of them
    output wire next  // the following cycle may start a pass
);
    localparam        CW    = BEATS > 1 ? $clog2(BEATS) : 1;
    localparam [31:0] COUNT = BEATS - 1;

    generate
        if (BEATS == 1) begin : g_one
            assign run  = start;
            assign last = start;
            assign next = 1'b1;
            wire unused = &{1'b0, clk, rst, COUNT};
        end else begin : g_many
            reg [CW-1:0] left;
            always @(posedge clk)
                if (rst)
                    left <= {CW{1'b0}};
                else if (start)
                    left <= COUNT[CW-1:0];
                else if (left != {CW{1'b0}})
                    left <= left - 1'b1;
            assign run  = start || left != {CW{1'b0}};
            assign last = left == {{(CW-1){1'b0}}, 1'b1};
            assign next = !start && (left == {CW{1'b0}} || last);
        end
    endgenerate
endmodule

`default_nettype wire
