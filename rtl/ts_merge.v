// Two streams to one; p goes first whenever it has a word. Latency 1, one word a cycle.
`default_nettype none

module ts_merge #(
    parameter WIDTH = 8,
    parameter HALF  = 0 // its slice takes a word every other cycle
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             p_valid,
    output wire             p_ready,
    input  wire [WIDTH-1:0] p_data,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [WIDTH-1:0] s_data,
    output wire             m_valid,
    input  wire             m_ready,
    output wire [WIDTH-1:0] m_data
);
    wire             room;
    wire             valid = p_valid || s_valid;
    wire [WIDTH-1:0] data = p_valid ? p_data : s_data;

    assign p_ready = room;
    assign s_ready = room && !p_valid;

    ts_slice #(.WIDTH(WIDTH), .HALF(HALF)) slice (
        .clk(clk), .rst(rst), .s_valid(valid), .s_ready(room), .s_data(data), .m_valid(m_valid), .m_ready(m_ready), .m_data(m_data));

`ifdef FORMAL
    // The slice takes exactly the word of the one input that is served, and that is p where both offer one.
    reg  f_started = 0;
    wire f_p = p_valid && p_ready, f_s = s_valid && s_ready, f_in = valid && room;

    always @(posedge clk) begin
        f_started <= 1;
        if (!f_started)
            assume (rst);
        else begin
            assert (!(f_p && f_s) && f_in == (f_p || f_s));
            assert (!(p_valid && f_s));
            if (f_p)
                assert (data == p_data);
            if (f_s)
                assert (data == s_data);
        end
    end
`endif
endmodule

`default_nettype wire
