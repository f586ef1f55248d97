// What a ring does about words that are not as they were written: marks the events that may have used one, and tells which memory it was.
// flipped: a bit for each memory, ts_parity's; IDS[i*8 +: 8] is its number on the configuration bus. urgent: some of them again, of which a result
// may leave in the same cycle.
// hit: admission takes a transfer, with hit_last an event's last one; leaves: an event's last result, or its refusal, is taken by ts_output;
// error, in that cycle: the event is marked. Marked are all events that are inside, which are the oldest ones: a number says which. An event's mark comes
// in time where `flipped` comes before the cycle in which its last result is taken, `urgent` in it at the latest. Fewer than 2^EVW events are
// inside.
// told, a few cycles later: such a word was used, or several at once; memory: which one's, the first in IDS of several.
`default_nettype none

module ts_parity_watch #(
    parameter           N   = 1,
    parameter [N*8-1:0] IDS = {N{8'd0}},
    parameter           EVW = 4
) (
    input  wire         clk,
    input  wire         rst,
    input  wire [N-1:0] flipped,
    input  wire         urgent,
    input  wire         hit,
    input  wire         hit_last,
    input  wire         leaves,
    output wire         error,
    output reg          told,
    output reg  [7:0]   memory
);
    reg              seen, entering;
    wire             begins = hit && !entering;
    reg  [EVW-1:0]   inside_now, marked;
    wire [EVW-1:0]   staying = inside_now - {{EVW-1{1'b0}}, leaves};

    assign error = urgent || seen || |marked;

    always @(posedge clk)
        if (rst) begin
            seen       <= 1'b0;
            entering   <= 1'b0;
            inside_now <= {EVW{1'b0}};
            marked     <= {EVW{1'b0}};
        end else begin
            seen       <= |flipped;
            entering   <= hit ? !hit_last : entering;
            inside_now <= staying + {{EVW-1{1'b0}}, begins};
            if (seen)
                marked <= staying;
            else if (leaves && |marked)
                marked <= marked - 1'b1;
        end

    // The first of the memories: its bit alone, then its number.
    reg [N-1:0] held, first;
    reg [7:0]   number;
    integer     i;
    always @(posedge clk) begin
        held   <= rst ? {N{1'b0}} : flipped;
        first  <= rst ? {N{1'b0}} : held & (~held + {{N-1{1'b0}}, 1'b1});
        told  <= !rst && |first;
        memory <= number;
    end
    always @* begin
        number = 8'd0;
        for (i = 0; i < N; i = i + 1)
            number = number | ({8{first[i]}} & IDS[i*8 +: 8]);
    end

`ifndef SYNTHESIS
    // Nothing leaves that has not begun.
    always @(posedge clk)
        if (rst === 1'b0 && leaves === 1'b1 && inside_now == {EVW{1'b0}}) begin
            $display("FAIL: %m: an event leaves where none is inside");
            $stop;
        end
`endif
endmodule

`default_nettype wire
