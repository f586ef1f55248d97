// Walks over the keys of one work item: for every key group (PKEY keys), DC chunks of the head width, one step a cycle, without a
// pause. `start` may come in the cycle of `last`: the next item then follows without a gap.
// A token's STEP words of K (or V) lie side by side in the memory, so that the next key group is STEP words further.
`default_nettype none

module ts_attn_walk #(
    parameter NW   = 4, // bits of a number of keys
    parameter PKEY = 2,
    parameter DC   = 1, // chunks
    parameter STEP = 1, // words of a token
    parameter KAW  = 4, // address of a K/V word
    parameter SAW  = 4  // address of a score word
) (
    input  wire            clk,
    input  wire            rst,
    input  wire            start,
    input  wire [NW-1:0]   n,      // keys, at least 1
    input  wire [KAW-1:0]  kaddr0, // of the item's first word
    input  wire [SAW-1:0]  saddr0,
    output reg             run,
    output reg             first_key, // in all chunks of the first key group
    output wire            last_key,
    output wire            first_chunk,
    output wire            last_chunk,
    output wire            last,   // the item's last step
    output wire [PKEY-1:0] none,   // lanes beyond the last key
    output reg  [KAW-1:0]  kaddr,
    output reg  [SAW-1:0]  saddr
);
    localparam        CW    = DC > 1 ? $clog2(DC) : 1;
    localparam [31:0] LAST  = DC - 1;
    localparam [31:0] LANES = PKEY;
    localparam [31:0] JUMP  = STEP - DC + 1;

    reg [NW-1:0] left; // keys from this group on
    reg [CW-1:0] chunk;

    assign first_chunk = chunk == {CW{1'b0}};
    assign last_chunk  = chunk == LAST[CW-1:0];
    assign last_key    = {{(32-NW){1'b0}}, left} <= LANES;
    assign last        = run && last_key && last_chunk;

    genvar j;
    generate
        for (j = 0; j < PKEY; j = j + 1) begin : g_lane
            localparam [31:0] LANE = j;
            assign none[j] = {{(32-NW){1'b0}}, left} <= LANE;
        end
    endgenerate

    always @(posedge clk)
        if (rst)
            run <= 1'b0;
        else
            run <= start || (run && !last);

    always @(posedge clk)
        if (start) begin
            left      <= n;
            chunk     <= {CW{1'b0}};
            first_key <= 1'b1;
            kaddr     <= kaddr0;
            saddr     <= saddr0;
        end else if (last_chunk) begin
            left      <= left - LANES[NW-1:0];
            chunk     <= {CW{1'b0}};
            first_key <= 1'b0;
            kaddr     <= kaddr + JUMP[KAW-1:0];
            saddr     <= saddr + 1'b1;
        end else begin
            chunk     <= chunk + 1'b1;
            kaddr     <= kaddr + 1'b1;
        end
endmodule

`default_nettype wire
