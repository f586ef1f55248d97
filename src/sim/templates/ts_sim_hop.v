// Stands for the way between two devices, in simulation only: a word comes out LATENCY cycles after it went in at the earliest, one every
// PACE cycles; +hop_pauses=P holds each word back for a random time, in P percent of the cycles. As many words are under way as that takes.
`default_nettype none

module ts_sim_hop #(
    parameter WIDTH   = 8,
    parameter LATENCY = 2,
    parameter PACE    = 1
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
    localparam DEPTH = LATENCY / PACE + 4;

    reg [WIDTH-1:0] word [0:DEPTH-1];
    reg [31:0]      due [0:DEPTH-1];
    reg [31:0]      now, wait_for, head, tail, count, pauses, dice;
    wire            put = s_valid && s_ready;
    wire            get = count != 0 && now >= due[head] && (!m_valid || m_ready) && dice >= pauses;

    assign s_ready = count != DEPTH && wait_for == 0;

    initial
        if (!$value$plusargs("hop_pauses=%d", pauses))
            pauses = 0;

    always @(posedge clk) begin
        dice <= $unsigned($random) % 100;
        if (rst) begin
            now      <= 0;
            wait_for <= 0;
            head     <= 0;
            tail     <= 0;
            count    <= 0;
            m_valid  <= 1'b0;
        end else begin
            now      <= now + 1;
            wait_for <= put ? PACE - 1 : wait_for == 0 ? 0 : wait_for - 1;
            count    <= count + {31'd0, put} - {31'd0, get};
            if (put) begin
                word[tail] <= s_data;
                due[tail]  <= now + LATENCY;
                tail       <= tail == DEPTH - 1 ? 0 : tail + 1;
            end
            if (get) begin
                m_data <= word[head];
                head   <= head == DEPTH - 1 ? 0 : head + 1;
            end
            m_valid <= get || (m_valid && !m_ready);
        end
    end
endmodule

`default_nettype wire
