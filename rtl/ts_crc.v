// Multiplication by a power of x modulo a polynomial, over GF(2): rest = data(x) * x^SHIFT mod (x^CW + POLY(x)). Everything that a
// cyclic redundancy check needs: SHIFT = CW makes the check bits of a word, SHIFT = 0 the syndrome of a word that has them at its end
// (zero if it is whole), SHIFT = W' carries a running check over a word of W' bits: next = check * x^W' + word * x^CW.
// Combinational, exclusive-ors only, about W / 2 inputs a bit: with W = 32, two levels of six-input LUTs. Users register it.
`default_nettype none

module ts_crc #(
    parameter        W     = 32,
    parameter        SHIFT = 32,
    parameter        CW    = 32,
    parameter [31:0] POLY  = 32'h1EDC6F41 // without x^CW
) (
    input  wire [W-1:0]  data,
    output wire [CW-1:0] rest
);
    localparam [CW-1:0] ONE  = 1;
    localparam [CW-1:0] LOW  = POLY[CW-1:0];

    // The bits of data that reach bit `which` of the result: bit n does if x^(SHIFT+n) mod P has x^which.
    function [W-1:0] inputs(input integer which);
        integer        n;
        reg   [CW-1:0] power;
        begin
            power = ONE;
            for (n = 0; n < SHIFT; n = n + 1)
                power = {power[CW-2:0], 1'b0} ^ (power[CW-1] ? LOW : {CW{1'b0}});
            for (n = 0; n < W; n = n + 1) begin
                inputs[n] = |(power & ONE << which);
                power     = {power[CW-2:0], 1'b0} ^ (power[CW-1] ? LOW : {CW{1'b0}});
            end
        end
    endfunction

    genvar i;
    generate
        if (W < 1 || SHIFT < 0 || CW < 2 || CW > 32) begin : g_guard
            ts_crc_needs_a_word_and_a_polynomial_of_2_to_32_bits guard ();
        end
        for (i = 0; i < CW; i = i + 1) begin : g_bit
            localparam [W-1:0] INPUTS = inputs(i);
            assign rest[i] = ^(data & INPUTS);
        end
    endgenerate
endmodule

`default_nettype wire
