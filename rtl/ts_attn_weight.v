// Weight of one score: ts_exp2_neg(max - score) of src/num/fixed.h, 0 for the most negative code (no key). Four cycles: difference,
// table, shift, round. The table is logic, 2^FW words of PW bits from the image <INIT>000.hex.
`default_nettype none

module ts_attn_weight #(
    parameter SW   = 12,
    parameter FW   = 6,
    parameter PW   = 12,
    parameter INIT = ""
) (
    input  wire          clk,
    input  wire [SW-1:0] score,
    input  wire [SW-1:0] max,
    output reg  [PW-1:0] p
);
    (* logic_block *) reg [PW-1:0] table_rom [0:(1<<FW)-1]; // the attribute: no block RAM
    generate
        if (INIT != "") begin : g_image
            initial $readmemh({INIT, "000.hex"}, table_rom);
        end else begin : g_no_image // only for checking the module by itself
            integer i;
            initial
                for (i = 0; i < 1 << FW; i = i + 1)
                    table_rom[i] = {PW{1'b0}};
        end
        if (SW <= FW || PW > 30) begin : g_guard
            ts_attn_weight_needs_SW_greater_than_FW_and_PW_of_at_most_30 guard ();
        end
    endgenerate

    reg  [SW-1:0]    delta;
    reg  [PW-1:0]    fraction;
    reg  [SW-FW-1:0] octaves;
    reg  [PW:0]      shifted; // one bit below the point, for the rounding
    reg              none_1, none_2;
    wire [PW+1:0]    up = {1'b0, shifted} + {{PW+1{1'b0}}, 1'b1};

    always @(posedge clk) begin
        delta    <= max - score;
        none_1   <= score == {1'b1, {SW-1{1'b0}}};
        fraction <= table_rom[delta[FW-1:0]];
        octaves  <= delta[SW-1:FW];
        none_2   <= none_1;
        shifted  <= none_2 ? {PW+1{1'b0}} : {fraction, 1'b0} >> octaves;
        p        <= up[PW:1];
    end
    wire unused = &{1'b0, up[PW+1], up[0]};
endmodule

`default_nettype wire
