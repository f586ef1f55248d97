// y = sat(round((round(acc >> S1) * m + b) >> (S2 + e))), round half toward +infinity: ts_requant() of src/num/fixed.h, one value a
// cycle, LATENCY 6: 3 for the multiplier (round(acc >> S1) is added in front of its input register), then add, shift, saturate.
// round(acc >> S1) must fit 25 bits signed. b only with BIASW > 0. VARBITS = 1 saturates to in_bits (<= OW) bits, sign-extended to
// OW; otherwise to OW bits. Signed formats saturate symmetrically. in_tag comes out with the value.
`default_nettype none

module ts_requant #(
    parameter IW      = 32,
    parameter S1      = 0,
    parameter S2      = 16,
    parameter BIASW   = 0,
    parameter MW      = 18,
    parameter EW      = 3,
    parameter OW      = 16,
    parameter OSIGNED = 1,
    parameter VARBITS = 0,
    parameter TAGW2   = 1,
    parameter BPW     = BIASW > 0 ? BIASW : 1 // derived
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             in_valid,
    input  wire [IW-1:0]    in_acc,
    input  wire [MW-1:0]    in_m,
    input  wire [EW-1:0]    in_e,
    input  wire [BPW-1:0]   in_b,
    input  wire [4:0]       in_bits,
    input  wire [TAGW2-1:0] in_tag,
    output wire             out_valid,
    output wire [OW-1:0]    out_y,
    output wire [TAGW2-1:0] out_tag
);
    localparam LATENCY = 6;

    // ---- input: round(acc >> S1), one bit more than acc >> S1 has, at most 25
    localparam FW = IW - S1 + (S1 > 0 ? 1 : 0);
    localparam RW = FW < 25 ? FW : 25;
    wire [RW-1:0] rounded;
    generate
        if (S1 == 0) begin : g_no_s1
            assign rounded = in_acc[RW-1:0];
        end else begin : g_s1
            wire [FW-1:0] sum = {in_acc[IW-1], in_acc[IW-1:S1]} + {{(FW-1){1'b0}}, in_acc[S1-1]};
            assign rounded = sum[RW-1:0];
            wire unused_sum = &{1'b0, sum};
        end
    endgenerate
    wire unused = &{1'b0, in_acc, in_b, in_bits};

    wire [RW+MW-1:0] product;
    ts_mul #(.AW(RW), .BW(MW), .ASIGNED(1), .BSIGNED(1)) mul (.clk(clk), .a(rounded), .b(in_m), .p(product));

    // ---- beside the multiplier: b + 2^(S2 + e - 1), the bias and half a unit of the result
    localparam EMAX = (1 << EW) - 1;
    localparam PW   = RW + MW;
    localparam W1   = PW > BPW ? PW : BPW;
    localparam W2   = W1 > S2 + EMAX + 1 ? W1 : S2 + EMAX + 1;
    localparam SW   = W2 + 2;

    wire [EW-1:0]  e_2;
    wire [BPW-1:0] b_2;
    reg  [EW-1:0]  e_3, e_4;
    reg  [SW-1:0]  half;
    reg  [SW-1:0]  offset;
    ts_delay #(.WIDTH(EW), .CYCLES(2)) delay_e (.clk(clk), .in(in_e), .out(e_2));
    ts_delay #(.WIDTH(BPW), .CYCLES(2)) delay_b (.clk(clk), .in(in_b), .out(b_2));

    integer n;
    always @* begin
        half = {SW{1'b0}};
        for (n = 0; n <= EMAX; n = n + 1)
            if (S2 + n > 0 && {{(32-EW){1'b0}}, e_2} == n)
                half[S2+n-1] = 1'b1;
    end

    // ---- add, shift, saturate
    localparam QW = SW - S2 > OW + 1 ? SW - S2 : OW + 1;
    reg  [SW-1:0]        sum;
    wire signed [SW-1:0] sum_signed = sum;
    reg  signed [QW-1:0] quotient;
    wire [SW-1:0]        shifted_full = sum_signed >>> S2;
    wire signed [QW-1:0] shifted;
    wire signed [QW-1:0] high, low;
    reg  [OW-1:0]        y;
    generate
        if (QW > SW) begin : g_extend
            assign shifted = {{(QW-SW){shifted_full[SW-1]}}, shifted_full};
        end else begin : g_cut
            assign shifted = shifted_full[QW-1:0];
            wire unused_shifted = &{1'b0, shifted_full};
        end
        if (VARBITS != 0) begin : g_bits
            // The largest value is ready with the quotient, from a register.
            wire [4:0]    bits_4;
            reg  [QW-1:0] largest;
            integer       i;
            ts_delay #(.WIDTH(5), .CYCLES(4)) delay_bits (.clk(clk), .in(in_bits), .out(bits_4));
            always @(posedge clk)
                for (i = 0; i < QW; i = i + 1)
                    largest[i] <= {27'b0, bits_4} > i + (OSIGNED != 0 ? 1 : 0);
            assign high = largest;
        end else begin : g_fixed
            localparam TOP = OSIGNED != 0 ? OW - 1 : OW;
            assign high = {{(QW-TOP){1'b0}}, {TOP{1'b1}}};
        end
        if (OSIGNED != 0) begin : g_signed
            // high is 2^k - 1, so that -high needs no carry; below it is ~high, -high - 1, and less.
            assign low = ~high | {{(QW-1){1'b0}}, 1'b1};
        end else begin : g_unsigned
            assign low = {QW{1'b0}};
        end
    endgenerate

    always @(posedge clk) begin
        e_3      <= e_2;
        e_4      <= e_3;
        offset   <= half + (BIASW > 0 ? {{(SW-BPW){b_2[BPW-1]}}, b_2} : {SW{1'b0}});
        sum      <= offset + {{(SW-PW){product[PW-1]}}, product};
        quotient <= shifted >>> e_4;
        y        <= quotient > high ? high[OW-1:0] : quotient < low ? low[OW-1:0] : quotient[OW-1:0];
    end
    assign out_y = y;

    reg [LATENCY-1:0] valid;
    always @(posedge clk)
        valid <= rst ? {LATENCY{1'b0}} : {valid[LATENCY-2:0], in_valid};
    assign out_valid = valid[LATENCY-1];
    ts_delay #(.WIDTH(TAGW2), .CYCLES(LATENCY)) delay_tag (.clk(clk), .in(in_tag), .out(out_tag));
endmodule

`default_nettype wire
