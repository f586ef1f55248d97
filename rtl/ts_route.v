// One stream to one of two: a word with s_sel = 0 goes to m0, with s_sel = 1 to m1. Latency 1, one word a cycle. A word waits for
// the one in front of it, wherever that goes.
`default_nettype none

module ts_route #(
    parameter WIDTH = 8,
    parameter HALF  = 0 // its slice takes a word every other cycle
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [WIDTH-1:0] s_data,
    input  wire             s_sel,
    output wire             m0_valid,
    input  wire             m0_ready,
    output wire [WIDTH-1:0] m0_data,
    output wire             m1_valid,
    input  wire             m1_ready,
    output wire [WIDTH-1:0] m1_data
);
    wire             valid, sel;
    wire [WIDTH-1:0] data;
    wire             next = sel ? m1_ready : m0_ready;

    ts_slice #(.WIDTH(WIDTH + 1), .HALF(HALF)) slice (
        .clk(clk), .rst(rst), .s_valid(s_valid), .s_ready(s_ready), .s_data({s_sel, s_data}),
        .m_valid(valid), .m_ready(next), .m_data({sel, data}));

    assign m0_valid = valid && !sel;
    assign m1_valid = valid && sel;
    assign m0_data  = data;
    assign m1_data  = data;

`ifdef FORMAL
    // Every word that leaves the slice is taken by the output that it asks for and by no other; outputs hold until taken.
    reg             f_started = 0, f_wait0 = 0, f_wait1 = 0;
    reg [WIDTH-1:0] f_data;
    wire            f_take0 = m0_valid && m0_ready, f_take1 = m1_valid && m1_ready, f_leave = valid && next;

    always @(posedge clk) begin
        f_started <= 1;
        f_wait0   <= !rst && m0_valid && !m0_ready;
        f_wait1   <= !rst && m1_valid && !m1_ready;
        f_data    <= data;
        if (!f_started)
            assume (rst);
        else begin
            assert (f_leave == (f_take0 || f_take1));
            assert (!(f_take0 && (f_take1 || sel)) && !(f_take1 && !sel));
            if (f_wait0)
                assert (m0_valid && m0_data == f_data);
            if (f_wait1)
                assert (m1_valid && m1_data == f_data);
        end
    end
`endif
endmodule

`default_nettype wire
