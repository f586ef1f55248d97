// Register slice of a stream: both directions come from registers, one transfer a cycle, latency 1.
`default_nettype none

module ts_skid #(
    parameter WIDTH = 8
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [WIDTH-1:0] s_data,
    output reg              m_valid,
    input  wire             m_ready,
    output reg  [WIDTH-1:0] m_data
);
    // One word arrives before the sender sees that the output has stopped: it waits in `spare`.
    reg             spare_valid;
    reg [WIDTH-1:0] spare;
    wire            move = m_ready || !m_valid;

    assign s_ready = !spare_valid;

    always @(posedge clk)
        if (rst) begin
            m_valid     <= 1'b0;
            spare_valid <= 1'b0;
        end else if (move) begin
            m_valid     <= s_valid || spare_valid;
            spare_valid <= 1'b0;
        end else begin
            spare_valid <= spare_valid || s_valid;
        end

    always @(posedge clk) begin
        if (move)
            m_data <= spare_valid ? spare : s_data;
        if (!spare_valid)
            spare <= s_data;
    end

`ifdef FORMAL
    // Words come out unchanged, once and in order: a copy of what is inside, oldest first, must agree with the registers.
    reg [1:0]       f_count = 0;
    reg [WIDTH-1:0] f_old, f_new;
    reg             f_started = 0, f_waiting = 0;
    reg [WIDTH-1:0] f_data;
    wire            f_in = s_valid && s_ready, f_out = m_valid && m_ready;
    wire            f_keep_new = f_count == 2;

    always @(posedge clk) begin
        f_started <= 1;
        f_waiting <= !rst && m_valid && !m_ready;
        f_data    <= m_data;
        f_count   <= rst ? 2'd0 : f_count + {1'b0, f_in} - {1'b0, f_out};
        if (f_out || f_count == 0)
            f_old <= f_keep_new ? f_new : s_data;
        if (f_in)
            f_new <= s_data;
        if (!f_started)
            assume (rst);
        else begin
            assert (f_count == {1'b0, m_valid} + {1'b0, spare_valid});
            assert (m_valid || !spare_valid);
            if (m_valid)
                assert (m_data == f_old);
            if (spare_valid)
                assert (spare == f_new);
            if (f_waiting)
                assert (m_valid && m_data == f_data);
        end
    end
`endif
endmodule

`default_nettype wire
