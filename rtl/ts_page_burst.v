// Cuts a piece of external memory into AXI4 read bursts. Offsets and lengths count beats of BYTES bytes from `base`, a multiple of
// 4096. A burst ends at the latest at the next multiple of MAX beats, MAX = the power of two of at most 256 beats and 4096 bytes, so
// that none crosses a 4 KiB boundary. At most BURSTS bursts are on their way; two cycles and the slave's handshake a burst.
// `stop` gives up what is left of the piece and takes no other; an address that is already offered stays until it is taken.
// `quiet`: nothing is on its way, nothing to be sent.
`default_nettype none

module ts_page_burst #(
    parameter BYTES  = 8,
    parameter ADDRW  = 40,
    parameter OFFW   = 32,
    parameter BURSTS = 8
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             stop,
    output reg              quiet,
    input  wire [ADDRW-1:0] base,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [OFFW-1:0]  s_offset,
    input  wire [OFFW-1:0]  s_beats_less_1,
    output reg              arvalid,
    input  wire             arready,
    output reg  [ADDRW-1:0] araddr,
    output reg  [7:0]       arlen, // beats less one
    input  wire             arrived, // a burst's last beat
    output wire             fault    // ts_watch: a burst too many is on its way, or one arrived that was not
);
    localparam        MAX  = 4096 / BYTES < 256 ? 4096 / BYTES : 256;
    localparam        MW   = $clog2(MAX);
    localparam        PW   = $clog2(4096 / BYTES); // bits of an offset inside 4 KiB
    localparam        CW   = $clog2(BURSTS + 1);
    localparam [31:0] MOST = BURSTS;

    reg  [OFFW-1:0] offset, rest; // of the next burst; beats of the piece from there, less one
    reg             busy, sized, ends;
    reg  [MW-1:0]   len; // of the next burst, beats less one
    reg  [CW-1:0]   flying;
    wire [MW-1:0]   most = ~offset[MW-1:0];
    wire            fits = rest <= {{(OFFW-MW){1'b0}}, most};
    wire            send = sized && !arvalid && !stop && flying != MOST[CW-1:0];

    assign s_ready = !busy && !stop;

    always @(posedge clk)
        if (rst) begin
            busy    <= 1'b0;
            sized   <= 1'b0;
            arvalid <= 1'b0;
            flying  <= {CW{1'b0}};
            quiet   <= 1'b0;
        end else begin
            busy  <= (s_valid && s_ready) || (busy && !stop && !(send && ends));
            sized <= busy && !stop && !send;
            if (send || arready)
                arvalid <= send;
            if (send && !arrived)
                flying <= flying + 1'b1;
            if (arrived && !send)
                flying <= flying - 1'b1;
            quiet <= !busy && flying == {CW{1'b0}};
        end

    always @(posedge clk) begin
        if (s_valid && s_ready) begin
            offset <= s_offset;
            rest   <= s_beats_less_1;
        end else if (send) begin
            offset <= {offset[OFFW-1:MW] + 1'b1, {MW{1'b0}}}; // after the last burst: unused
            rest   <= rest + ~{{(OFFW-MW){1'b0}}, len};
        end
        if (!sized) begin
            len   <= fits ? rest[MW-1:0] : most;
            ends  <= fits;
        end
        if (send) begin
            araddr <= {base[ADDRW-1:12] + {{(ADDRW-12-OFFW+PW){1'b0}}, offset[OFFW-1:PW]}, offset[PW-1:0], {(12-PW){1'b0}}};
            arlen  <= {{(8-MW){1'b0}}, len};
        end
    end
    ts_watch #(.N(2)) watch (
        .clk(clk), .rst(rst), .bad({send && flying == MOST[CW-1:0], arrived && flying == {CW{1'b0}}}), .fault(fault));
    wire unused = &{1'b0, base[11:0]};

    generate
        if (BURSTS < 1 || ADDRW < 12 + OFFW - PW || BYTES < 8 || BYTES > 64 || (BYTES & (BYTES - 1)) != 0) begin : g_guard
            ts_page_burst_needs_BYTES_of_8_16_32_or_64_and_addresses_wider_than_offsets guard ();
        end
    endgenerate

`ifdef TS_CHECK
    // The rules of AXI's addresses: bursts of whole beats, none across 4 KiB, an address stays until it is taken, never more than BURSTS.
    localparam        OW   = BURSTS > 1 ? $clog2(BURSTS) : 1; // (the checker's number is a power of two: flying, below, is exact)
    localparam [31:0] SIZE = $clog2(BYTES);
    wire [OW:0]       open;
    ts_axi_burst_check #(.DATAW(8 * BYTES), .ADDRW(ADDRW), .BURSTS(1 << OW)) check (
        .clk(clk), .rst(rst), .arvalid(arvalid), .arready(arready), .araddr(araddr), .arlen(arlen), .arsize(SIZE[2:0]), .arburst(2'b01),
        .ended(arrived), .open(open));
    wire unused_open = &{1'b0, open, SIZE[31:3]};
`endif
`ifdef FORMAL
    // The memory as it must behave: a last beat arrives only of a burst whose address was taken.
    reg  f_started = 0;
    wire [OW:0] f_flying = {{(OW+1-CW){1'b0}}, flying};
    always @(posedge clk) begin
        f_started <= 1;
        if (!f_started)
            assume (rst);
        else begin
            if (arrived)
                assume (open != 0);
            // What is on its way is counted and never too much.
            assert (f_flying == open + arvalid && open <= f_flying && flying <= MOST[CW-1:0]);
            if (sized)
                assert (len <= most);
        end
    end
`endif
endmodule

`default_nettype wire
