// What the host learns of words that are not as they were written: how many, in cycles in which one was told of (ts_parity_watch), up to
// 2^32 - 1, and where the first was: where = {there was one, ring, memory}. clear: both begin anew; what is told of in that cycle counts.
`default_nettype none

module ts_parity_count #(
    parameter RINGS = 1
) (
    input  wire               clk,
    input  wire               rst,
    input  wire [RINGS-1:0]   error,
    input  wire [8*RINGS-1:0] memory,
    input  wire               clear,
    output reg  [31:0]        count,
    output reg  [16:0]        where
);
    reg  [7:0] ring, number; // the first ring that tells
    integer    i;
    always @* begin
        ring   = 8'd0;
        number = memory[7:0];
        for (i = RINGS - 1; i >= 0; i = i - 1)
            if (error[i]) begin
                ring   = i[7:0];
                number = memory[8*i +: 8];
            end
    end

    always @(posedge clk)
        if (rst) begin
            count <= 32'd0;
            where <= 17'd0;
        end else begin
            if (clear)
                count <= {31'd0, |error};
            else if (|error && !(&count))
                count <= count + 32'd1;
            if (clear || !where[16])
                where <= |error ? {1'b1, ring, number} : 17'd0;
        end
endmodule

`default_nettype wire
