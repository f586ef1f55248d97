// AXI4-Lite slave to a register bus of one access at a time. An access is offered with q_valid (q_write, q_address in bytes, q_data, q_strobe) and
// stays until q_ready; its answer comes with a_valid, in any later cycle: a_hit says that there is such a register (SLVERR, else),
// a_data is what is read.
// Reads and writes take turns where both wait. Nothing hangs: after TIMEOUT cycles without an answer an access ends with SLVERR, and
// so do all others, at once, until the late answer has come (it is dropped). 0 waits for ever.
// Every output comes from a register. Address bits 1..0 and protection are ignored: every access is one of 32 bits, writes by strobes.
`default_nettype none

module ts_axil #(
    parameter ADDRW   = 12,
    parameter TIMEOUT = 1000
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_axi_awvalid,
    output wire             s_axi_awready,
    input  wire [ADDRW-1:0] s_axi_awaddr,
    input  wire [2:0]       s_axi_awprot,
    input  wire             s_axi_wvalid,
    output wire             s_axi_wready,
    input  wire [31:0]      s_axi_wdata,
    input  wire [3:0]       s_axi_wstrb,
    output reg              s_axi_bvalid,
    input  wire             s_axi_bready,
    output reg  [1:0]       s_axi_bresp,
    input  wire             s_axi_arvalid,
    output wire             s_axi_arready,
    input  wire [ADDRW-1:0] s_axi_araddr,
    input  wire [2:0]       s_axi_arprot,
    output reg              s_axi_rvalid,
    input  wire             s_axi_rready,
    output reg  [31:0]      s_axi_rdata,
    output reg  [1:0]       s_axi_rresp,
    output reg              q_valid,
    input  wire             q_ready,
    output reg              q_write,
    output reg  [ADDRW-1:0] q_address,
    output reg  [31:0]      q_data,
    output reg  [3:0]       q_strobe,
    input  wire             a_valid,
    input  wire             a_hit,
    input  wire [31:0]      a_data
);
    localparam        TW    = TIMEOUT > 1 ? $clog2(TIMEOUT + 1) : 2;
    localparam [31:0] LIMIT = TIMEOUT;
    localparam [1:0]  OKAY = 2'b00, SLVERR = 2'b10;

    generate
        if (ADDRW < 3 || ADDRW > 32) begin : g_guard
            ts_axil_needs_ADDRW_of_3_to_32 guard ();
        end
    endgenerate

    // What has come and waits for its turn.
    reg             has_aw, has_w, has_ar;
    reg [ADDRW-1:0] awaddr, araddr;
    reg [31:0]      wdata;
    reg [3:0]       wstrb;

    reg             open;  // this side of reset: ready was low in it
    reg             busy;  // an access is on the register bus, its answer has not come
    reg             lost;  // ... and nobody waits for it any more
    reg  [TW-1:0]   waited;
    wire            can_write = has_aw && has_w && !s_axi_bvalid;
    wire            can_read = has_ar && !s_axi_rvalid;
    wire            idle = !busy || lost;
    wire            write = idle && can_write; // behind a write, its response is in the way of the next one: reads have their turn
    wire            read = idle && can_read && !write;
    wire            late = TIMEOUT != 0 && waited == LIMIT[TW-1:0];
    wire            answer = busy && !lost && (a_valid || late);
    wire            refuse = lost; // an access that begins now ends at once
    wire [1:0]      response = a_valid && a_hit ? OKAY : SLVERR;

    assign s_axi_awready = open && !has_aw;
    assign s_axi_wready  = open && !has_w;
    assign s_axi_arready = open && !has_ar;

    always @(posedge clk)
        if (rst) begin
            open         <= 1'b0;
            has_aw       <= 1'b0;
            has_w        <= 1'b0;
            has_ar       <= 1'b0;
            s_axi_bvalid <= 1'b0;
            s_axi_rvalid <= 1'b0;
            q_valid      <= 1'b0;
            busy         <= 1'b0;
            lost         <= 1'b0;
        end else begin
            open   <= 1'b1;
            has_aw <= !write && (has_aw || (s_axi_awvalid && s_axi_awready));
            has_w  <= !write && (has_w || (s_axi_wvalid && s_axi_wready));
            has_ar <= !read && (has_ar || (s_axi_arvalid && s_axi_arready));
            if ((write || read) && !refuse) begin
                q_valid <= 1'b1;
                busy    <= 1'b1;
            end else begin
                if (q_ready)
                    q_valid <= 1'b0;
                if (a_valid)
                    busy <= 1'b0;
            end
            if (a_valid)
                lost <= 1'b0;
            else if (answer)
                lost <= 1'b1;
            s_axi_bvalid <= (answer && q_write) || (write && refuse) || (s_axi_bvalid && !s_axi_bready);
            s_axi_rvalid <= (answer && !q_write) || (read && refuse) || (s_axi_rvalid && !s_axi_rready);
        end

    always @(posedge clk) begin
        if (s_axi_awready)
            awaddr <= s_axi_awaddr;
        if (s_axi_wready) begin
            wdata <= s_axi_wdata;
            wstrb <= s_axi_wstrb;
        end
        if (s_axi_arready)
            araddr <= s_axi_araddr;
        if (idle && !refuse) begin
            q_write   <= write;
            q_address <= write ? awaddr : araddr;
            q_data    <= wdata;
            q_strobe  <= write ? wstrb : 4'b0000;
        end
        waited <= TIMEOUT != 0 && busy && !lost ? waited + {{TW-1{1'b0}}, !late} : {TW{1'b0}};
        if (!s_axi_bvalid)
            s_axi_bresp <= answer ? response : SLVERR;
        if (!s_axi_rvalid) begin
            s_axi_rresp <= answer ? response : SLVERR;
            s_axi_rdata <= answer && a_valid ? a_data : 32'd0;
        end
    end
    wire unused = &{1'b0, s_axi_awprot, s_axi_arprot};

`ifdef TS_CHECK
    wire [2:0] addresses, words, reads; // open, as the master sees it
    wire       unused_open = &{1'b0, addresses, words, reads};
    ts_axil_check #(.ADDRW(ADDRW)) check (
        .clk(clk), .rst(rst), .awvalid(s_axi_awvalid), .awready(s_axi_awready), .awaddr(s_axi_awaddr), .wvalid(s_axi_wvalid),
        .wready(s_axi_wready), .wdata(s_axi_wdata), .wstrb(s_axi_wstrb), .bvalid(s_axi_bvalid), .bready(s_axi_bready),
        .bresp(s_axi_bresp), .arvalid(s_axi_arvalid), .arready(s_axi_arready), .araddr(s_axi_araddr), .rvalid(s_axi_rvalid),
        .rready(s_axi_rready), .rdata(s_axi_rdata), .rresp(s_axi_rresp),
        .addresses(addresses), .words(words), .reads(reads));
`endif
`ifdef FORMAL
    // The registers as they must behave: an answer only to an access that was taken.
    reg             f_started = 0, f_taken = 0, f_waiting = 0;
    reg [ADDRW-1:0] f_address;
    reg             f_write, f_late = 0, f_open = 0;
    reg [TW-1:0]    f_waited;
    always @(posedge clk) begin
        f_started <= 1;
        f_taken   <= !rst && ((q_valid && q_ready) || (f_taken && !a_valid));
        f_waiting <= !rst && q_valid && !q_ready;
        f_address <= q_address;
        f_write   <= q_write;
        f_late    <= !rst && busy && !lost && late;
        f_open    <= !rst && busy && !lost;
        f_waited  <= waited;
        if (!f_started)
            assume (rst);
        else begin
            if (a_valid)
                assume (f_taken);
            assert (!(q_valid && f_taken));
            assert (busy == (q_valid || f_taken));
            assert (!lost || busy);
            if (f_waiting)
                assert (q_valid && q_address == f_address && q_write == f_write);
            // What is open is here: waiting for its turn, at the registers, or answered.
            assert (addresses == {2'd0, has_aw} + {2'd0, busy && !lost && q_write} + {2'd0, s_axi_bvalid});
            assert (words == {2'd0, has_w} + {2'd0, busy && !lost && q_write} + {2'd0, s_axi_bvalid});
            assert (reads == {2'd0, has_ar} + {2'd0, busy && !lost && !q_write} + {2'd0, s_axi_rvalid});
            // It does not hang: an access that is open comes nearer to its end in every cycle, and at LIMIT it has its answer.
            assert (waited <= LIMIT);
            if (f_open && busy && !lost && TIMEOUT != 0)
                assert (waited == f_waited + 1'b1);
            if (f_late)
                assert (f_write ? s_axi_bvalid : s_axi_rvalid);
            if (busy && !lost) begin
                assert (q_write ? !s_axi_bvalid : !s_axi_rvalid);
            end
        end
    end
`endif
endmodule

`default_nettype wire
