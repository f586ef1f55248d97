// Residual sum: m = sat(a + b), D values of W bits, signed, saturated symmetrically. A token of the branch (a, whose tag goes on)
// waits for its residual (b) and the other way round. Latency 2, one token a cycle.
`default_nettype none

module ts_radd #(
    parameter D    = 32,
    parameter W    = 16,
    parameter TAGW = 3,
    parameter HALF = 0 // its slice takes a word every other cycle
) (
    input  wire            clk,
    input  wire            rst,
    input  wire            a_valid,
    output wire            a_ready,
    input  wire [D*W-1:0]  a_data,
    input  wire [TAGW-1:0] a_tag,
    input  wire            b_valid,
    output wire            b_ready,
    input  wire [D*W-1:0]  b_data,
    output wire            m_valid,
    input  wire            m_ready,
    output wire [D*W-1:0]  m_data,
    output wire [TAGW-1:0] m_tag
);
    localparam [W-1:0] HIGH = {1'b0, {W-1{1'b1}}};
    localparam [W-1:0] LOW  = ~HIGH + 1'b1;

    reg                 valid;
    reg  [D*(W+1)-1:0]  sum;
    reg  [TAGW-1:0]     tag;
    wire [D*W-1:0]      y;
    wire                out_ready;
    wire                room = !valid || out_ready;
    wire                take = a_valid && b_valid && room;

    assign a_ready = room && b_valid;
    assign b_ready = room && a_valid;

    always @(posedge clk)
        if (rst)
            valid <= 1'b0;
        else if (room)
            valid <= take;
    always @(posedge clk)
        if (room)
            tag <= a_tag;

    genvar i;
    generate
        if (W < 2) begin : g_guard
            ts_radd_needs_W_of_at_least_2 guard ();
        end
        for (i = 0; i < D; i = i + 1) begin : g_value
            wire [W-1:0] a = a_data[i*W +: W];
            wire [W-1:0] b = b_data[i*W +: W];
            wire [W:0]   s = sum[i*(W+1) +: W+1];
            wire         over = s[W] != s[W-1];
            always @(posedge clk)
                if (room)
                    sum[i*(W+1) +: W+1] <= {a[W-1], a} + {b[W-1], b};
            // The lowest W-bit number is below the format, too.
            assign y[i*W +: W] = over || s[W-1:0] == ~HIGH ? (s[W] ? LOW : HIGH) : s[W-1:0];
        end
    endgenerate

    ts_slice #(.WIDTH(TAGW + D*W), .HALF(HALF)) slice (
        .clk(clk), .rst(rst), .s_valid(valid), .s_ready(out_ready), .s_data({tag, y}),
        .m_valid(m_valid), .m_ready(m_ready), .m_data({m_tag, m_data}));
endmodule

`default_nettype wire
