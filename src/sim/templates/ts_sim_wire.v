// Stands for the way of a link's words from one end to the other, in simulation only: words have no ready; they arrive LATENCY cycles
// later, at most RATE / 65536 of them a cycle. Plus arguments:
//   +wire_pauses=P            in P percent of the cycles nothing can be sent
//   +wire_fault=W             on wire W, something befalls the word ...
//   +wire_word=N              ... that is the N-th which its sender gives it, counted from 0:
//   +wire_kind=flip|drop|hold one bit turns over; it is lost; nothing is sent for +wire_hold=CYCLES (10000) from there on
`default_nettype none

module ts_sim_wire #(
    parameter WIDTH   = 64,
    parameter LATENCY = 2,
    parameter RATE    = 65536,
    parameter NUMBER  = 0
) (
    input  wire             clk,
    input  wire             rst,
    output reg              slot,
    input  wire             s_valid,
    input  wire [WIDTH-1:0] s_data,
    output reg              m_valid,
    output reg  [WIDTH-1:0] m_data
);
    localparam DEPTH = LATENCY < 2 ? 1 : LATENCY - 1;

    reg [WIDTH-1:0] line [0:DEPTH-1];
    reg [DEPTH-1:0] there;           // a word is
    reg [31:0]     at, credit, dice, pauses, fault, word, count, hold, held;
    reg [4*8-1:0]  kind;
    wire           hit = s_valid && fault == NUMBER && count == word;
    wire           flip = hit && kind == "flip", drop = hit && kind == "drop";
    wire [31:0]    gained = credit + RATE;
    wire           holding = held != 0 || (hit && kind == "hold");

    initial begin
        if (!$value$plusargs("wire_pauses=%d", pauses))
            pauses = 0;
        if (!$value$plusargs("wire_fault=%d", fault))
            fault = 32'hffffffff;
        if (!$value$plusargs("wire_word=%d", word))
            word = 0;
        if (!$value$plusargs("wire_kind=%s", kind))
            kind = "flip";
        if (!$value$plusargs("wire_hold=%d", hold))
            hold = 10000;
    end

    always @(posedge clk) begin
        dice <= $unsigned($random) % 100;
        if (rst) begin
            there   <= {DEPTH{1'b0}};
            at      <= 0;
            credit  <= 0;
            count   <= 0;
            held    <= 0;
            slot    <= 1'b0;
            m_valid <= 1'b0;
        end else begin
            // A slot is a chance to send; unused ones are not saved.
            slot   <= gained >= 65536 && dice >= pauses && !holding;
            credit <= gained >= 65536 ? gained - 65536 : gained;
            count  <= s_valid ? count + 1 : count;
            held   <= hit && kind == "hold" ? hold : held == 0 ? 0 : held - 1;
            there[at] <= s_valid && !drop;
            line[at]  <= s_data ^ {{(WIDTH-1){1'b0}}, flip};
            at        <= at == DEPTH - 1 ? 0 : at + 1;
            m_valid   <= there[at];
            m_data    <= line[at];
        end
    end
endmodule

`default_nettype wire
