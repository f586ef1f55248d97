// Results in the order of the events. A token's result is BPT beats of OPW values of YW bits; they leave sign-extended to LANEW bits
// (zero-extended with YSIGNED = 0), m_last with the last beat of the event's last token. A refused event, as its descriptor
// says, has no results: it is one beat of zeros (ZEROS = 0: of anything) with m_refused and m_last. Of an event that came in error, the
// last beat has m_error. Latency 1, one beat a cycle.
`default_nettype none

module ts_output #(
    parameter OPW     = 4,
    parameter YW      = 16,
    parameter YSIGNED = 1,
    parameter LANEW   = 32,
    parameter BPT     = 1,
    parameter LW      = 1,
    parameter TAGW    = 3,
    parameter ZEROS   = 1,
    parameter HALF    = 0 // its slice takes a word every other cycle
) (
    input  wire              clk,
    input  wire              rst,
    input  wire              d_valid,
    output wire              d_ready,
    input  wire [1:0]        d_data, // {error, refused}
    input  wire              s_valid,
    output wire              s_ready,
    input  wire [OPW*YW-1:0] s_data,
    input  wire [TAGW-1:0]   s_tag,
    output wire              m_valid,
    input  wire              m_ready,
    output wire [OPW*LANEW-1:0] m_data,
    output wire              m_last,
    output wire              m_refused,
    output wire              m_error
);
    wire             out_ready, token_end;
    wire             refused = d_data[0];
    wire             last = refused || (token_end && s_tag[LW]);
    wire             valid = d_valid && (refused || s_valid);
    wire [OPW*YW+2:0] word;
    wire [OPW*YW-1:0] values;

    assign s_ready = out_ready && d_valid && !refused;
    assign d_ready = out_ready && last && (refused || s_valid);
    assign word    = {last && d_data[1], refused, last, ZEROS != 0 && refused ? {OPW*YW{1'b0}} : s_data};

    generate
        if (TAGW <= LW || YW > LANEW) begin : g_guard
            ts_output_needs_TAGW_above_LW_and_YW_of_at_most_LANEW guard ();
        end
        if (BPT == 1) begin : g_single
            assign token_end = 1'b1;
        end else begin : g_multiple
            localparam        BW    = $clog2(BPT);
            localparam [31:0] FINAL = BPT - 1;
            reg [BW-1:0] beat;
            assign token_end = beat == FINAL[BW-1:0];
            always @(posedge clk)
                if (rst)
                    beat <= {BW{1'b0}};
                else if (s_valid && s_ready)
                    beat <= token_end ? {BW{1'b0}} : beat + 1'b1;
        end
    endgenerate
    wire unused = &{1'b0, s_tag};

    ts_slice #(.WIDTH(OPW*YW + 3), .HALF(HALF)) slice (
        .clk(clk), .rst(rst), .s_valid(valid), .s_ready(out_ready), .s_data(word),
        .m_valid(m_valid), .m_ready(m_ready), .m_data({m_error, m_refused, m_last, values}));

    genvar i;
    generate
        for (i = 0; i < OPW; i = i + 1) begin : g_value
            wire [YW-1:0] value = values[i*YW +: YW];
            wire          sign = YSIGNED != 0 && value[YW-1];
            assign m_data[i*LANEW +: YW] = value;
            if (YW < LANEW) begin : g_extend
                assign m_data[i*LANEW+YW +: LANEW-YW] = {LANEW-YW{sign}};
            end else begin : g_whole
                wire unused_sign = sign;
            end
        end
    endgenerate
endmodule

`default_nettype wire
