// Register slice of a stream, both directions registered. HALF = 0: a word a cycle (ts_skid). HALF = 1: a word every other cycle, for
// streams that are never faster: one register and no choice in front of it, which of a whole token's bits saves a LUT each.
// Latency 1.
`default_nettype none

module ts_slice #(
    parameter WIDTH = 8,
    parameter HALF  = 0
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [WIDTH-1:0] s_data,
    output wire             m_valid,
    input  wire             m_ready,
    output wire [WIDTH-1:0] m_data
);
    generate
        if (HALF == 0) begin : g_full
            ts_skid #(.WIDTH(WIDTH)) skid (
                .clk(clk), .rst(rst), .s_valid(s_valid), .s_ready(s_ready), .s_data(s_data),
                .m_valid(m_valid), .m_ready(m_ready), .m_data(m_data));
        end else begin : g_half
            reg             empty; // enables the whole word's registers as it is
            reg [WIDTH-1:0] data;

            assign s_ready = empty;
            assign m_valid = !empty;
            assign m_data  = data;
            always @(posedge clk)
                if (rst)
                    empty <= 1'b1;
                else
                    empty <= empty ? !s_valid : m_ready;
            always @(posedge clk)
                if (empty)
                    data <= s_data;
        end
    endgenerate

`ifdef FORMAL
    // HALF = 1 (ts_skid is proved by itself): a word is taken only when there is none, comes out unchanged and holds until taken.
    reg             f_started = 0, f_full = 0;
    reg [WIDTH-1:0] f_word;
    wire            f_in = s_valid && s_ready, f_out = m_valid && m_ready;

    always @(posedge clk) begin
        f_started <= 1;
        f_full    <= !rst && (f_in || (f_full && !f_out));
        if (f_in)
            f_word <= s_data;
        if (!f_started)
            assume (rst);
        else if (HALF != 0) begin
            assert (f_full == m_valid);
            assert (!(f_in && f_full));
            if (f_full)
                assert (m_data == f_word);
        end
    end
`endif
endmodule

`default_nettype wire
