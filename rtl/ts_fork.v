// One stream to two: every word goes to both outputs, each taking it when it can; the next word follows when both have it.
// Latency 1, one word a cycle when both outputs take it at once.
`default_nettype none

module ts_fork #(
    parameter WIDTH = 8,
    parameter HALF  = 0 // its slice takes a word every other cycle
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [WIDTH-1:0] s_data,
    output wire             m0_valid,
    input  wire             m0_ready,
    output wire [WIDTH-1:0] m0_data,
    output wire             m1_valid,
    input  wire             m1_ready,
    output wire [WIDTH-1:0] m1_data
);
    wire             valid;
    wire [WIDTH-1:0] data;
    reg              done0, done1; // this output has taken the word
    wire             next = (done0 || m0_ready) && (done1 || m1_ready);

    ts_slice #(.WIDTH(WIDTH), .HALF(HALF)) slice (
        .clk(clk), .rst(rst), .s_valid(s_valid), .s_ready(s_ready), .s_data(s_data), .m_valid(valid), .m_ready(next), .m_data(data));

    always @(posedge clk)
        if (rst) begin
            done0 <= 1'b0;
            done1 <= 1'b0;
        end else if (valid) begin
            done0 <= !next && (done0 || m0_ready);
            done1 <= !next && (done1 || m1_ready);
        end

    assign m0_valid = valid && !done0;
    assign m1_valid = valid && !done1;
    assign m0_data  = data;
    assign m1_data  = data;

`ifdef FORMAL
    // Every word that leaves the slice has been taken exactly once by each output, and outputs hold until taken.
    reg             f_started = 0, f_got0 = 0, f_got1 = 0, f_wait0 = 0, f_wait1 = 0;
    reg [WIDTH-1:0] f_data;
    wire            f_take0 = m0_valid && m0_ready, f_take1 = m1_valid && m1_ready, f_leave = valid && next;

    always @(posedge clk) begin
        f_started <= 1;
        f_got0    <= !rst && !f_leave && (f_got0 || f_take0);
        f_got1    <= !rst && !f_leave && (f_got1 || f_take1);
        f_wait0   <= !rst && m0_valid && !m0_ready;
        f_wait1   <= !rst && m1_valid && !m1_ready;
        f_data    <= data;
        if (!f_started)
            assume (rst);
        else begin
            assert (f_got0 == done0 && f_got1 == done1);
            assert (!(f_got0 && f_take0) && !(f_got1 && f_take1));
            assert (!(f_got0 || f_got1) || valid);
            assert (!(f_got0 && f_got1));
            if (f_leave)
                assert ((f_got0 || f_take0) && (f_got1 || f_take1));
            if (f_wait0)
                assert (m0_valid && m0_data == f_data);
            if (f_wait1)
                assert (m1_valid && m1_data == f_data);
        end
    end
`endif
endmodule

`default_nettype wire
