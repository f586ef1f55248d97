// Stands for one direction of a link in simulation: two transceivers and what is between them, each end in its own clock. A word that is
// taken (s_valid, s_ready) appears LATENCY picoseconds later, at the next edge of m_clk; what comes has no ready. The line carries a word every
// `word` picoseconds, which must not be less than a period of m_clk; a few that wait may follow each other faster.
//   +lane_pauses=P   in P percent of the cycles nothing is taken
//   +lane_fault=L +lane_word=N   of lane L, the N-th word (from 0) is lost
`timescale 1ns / 1ps
`default_nettype none

module ts_sim_lane #(
    parameter WIDTH   = 64,
    parameter LATENCY = 100000,
    parameter NUMBER  = 0
) (
    input  wire [31:0]      word,
    input  wire             s_clk,
    input  wire             s_valid,
    output reg              s_ready,
    input  wire [WIDTH-1:0] s_data,
    input  wire             m_clk,
    output reg              m_valid,
    output reg  [WIDTH-1:0] m_data
);
    localparam DEPTH = 65536, BURST = 4;

    reg [WIDTH-1:0] line [0:DEPTH-1];
    reg [63:0]      due [0:DEPTH-1];
    reg [31:0]      head, tail, count, pauses, fault, fault_word;
    reg [63:0]      now, free, late; // when the line is free; when what comes next may appear
    integer         seed;

    initial begin
        if (!$value$plusargs("lane_pauses=%d", pauses)) pauses = 0;
        if (!$value$plusargs("lane_fault=%d", fault)) fault = 32'hffffffff;
        if (!$value$plusargs("lane_word=%d", fault_word)) fault_word = 0;
        seed = 77 + NUMBER;
        head = 0; tail = 0; count = 0; free = 0; late = 0;
        s_ready = 1'b0; m_valid = 1'b0; m_data = {WIDTH{1'b0}};
    end

    always @(posedge s_clk) begin
        now = $realtime * 1000.0;
        if (s_valid && s_ready) begin
            free = (free + BURST * word > now ? free : now - BURST * word) + word;
            if (!(fault == NUMBER && fault_word == count)) begin
                if (head - tail == DEPTH) begin
                    $display("FAIL: %m: more words on the line than it holds");
                    $finish;
                end
                line[head % DEPTH] = s_data;
                due[head % DEPTH] = (free > now ? free : now) + LATENCY;
                head = head + 1;
            end
            count = count + 1;
        end
        s_ready <= free <= now + word && ($unsigned($random(seed)) % 100) >= pauses;
    end

    always @(posedge m_clk) begin
        late = $realtime * 1000.0;
        m_valid <= 1'b0;
        if (head != tail && due[tail % DEPTH] <= late) begin
            m_valid <= 1'b1;
            m_data  <= line[tail % DEPTH];
            tail = tail + 1;
        end
    end
endmodule

`default_nettype wire
