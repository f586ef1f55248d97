// Paged mode in one piece: a loader (ts_page_loader), a gate in front of each of its STAGES stages (ts_page_gate), and the flag of the
// events that used a bad page (ts_page_poison). Stage s has bit s, or slice s, of every vector port. The loader's parameters are
// those of ts_page_loader; TURNS[s*8 +: 8] pages of stage s are used by an event.
// For each stage, with its tag: g_valid, g_ready come from the stream in front of it, t_valid, t_ready go to the stage, page says
// which buffer its token reads; o_ watches its output (o_valid only with a token's last beat). w_ fills the stages' ts_page_mem.
// out_done: the last result of an event that was not refused is taken; out_error says whether it used a bad page.
`default_nettype none

module ts_pager #(
    parameter                 STAGES   = 1,
    parameter                 COUNT    = 1,
    parameter                 LANES    = 1,
    parameter [COUNT*8-1:0]   SCHEDULE = 8'd0,
    parameter [STAGES*2-1:0]  BUFFERS  = 2'd2,
    parameter [STAGES*16-1:0] WORDS    = 16'd1,
    parameter [STAGES*8-1:0]  GROUPS   = 8'd1,
    parameter [STAGES*8-1:0]  TURNS    = 8'd1,
    parameter                 RETRIES  = 3,
    parameter                 BURSTS   = 8,
    parameter                 ADDRW    = 40,
    parameter                 LW       = 1,
    parameter                 TAGW     = LW + 2,
    parameter                 EVW      = 3,
    parameter                 LATE     = 0
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   run,
    output wire                   idle,
    input  wire [ADDRW-1:0]       base,
    output wire                   m_axi_arvalid,
    input  wire                   m_axi_arready,
    output wire [ADDRW-1:0]       m_axi_araddr,
    output wire [7:0]             m_axi_arlen,
    output wire [2:0]             m_axi_arsize,
    output wire [1:0]             m_axi_arburst,
    input  wire                   m_axi_rvalid,
    output wire                   m_axi_rready,
    input  wire [LANES*64-1:0]    m_axi_rdata,
    input  wire [1:0]             m_axi_rresp,
    input  wire                   m_axi_rlast,
    output wire [STAGES-1:0]      w_stage,
    output wire [7:0]             w_group,
    output wire [15:0]            w_address,
    output wire [LANES*72-1:0]    w_data,
    input  wire [STAGES-1:0]      g_valid,
    output wire [STAGES-1:0]      g_ready,
    input  wire [STAGES*TAGW-1:0] g_tag,
    output wire [STAGES-1:0]      t_valid,
    input  wire [STAGES-1:0]      t_ready,
    output wire [STAGES-1:0]      page,
    input  wire [STAGES-1:0]      o_valid,
    input  wire [STAGES-1:0]      o_ready,
    input  wire [STAGES*TAGW-1:0] o_tag,
    input  wire                   out_done,
    output wire                   out_error,
    output wire                   error,   // some page was given up
    output wire [15:0]            retries,
    output wire [STAGES-1:0]      late,
    output wire [STAGES*32-1:0]   stalls,
    output wire                   fault // ts_watch, of all parts
);
    wire [STAGES-1:0]     loaded, freed, hit, page_bad;
    wire [STAGES*EVW-1:0] hit_event;
    wire                  loaded_bad, loader_fault;
    wire [STAGES-1:0]     gate_fault;
    wire                  unused = &{1'b0, page_bad};

    ts_page_loader #(.STAGES(STAGES), .COUNT(COUNT), .LANES(LANES), .SCHEDULE(SCHEDULE), .BUFFERS(BUFFERS), .WORDS(WORDS),
                     .GROUPS(GROUPS), .RETRIES(RETRIES), .BURSTS(BURSTS), .ADDRW(ADDRW)) loader (
        .clk(clk), .rst(rst), .run(run), .idle(idle), .base(base),
        .arvalid(m_axi_arvalid), .arready(m_axi_arready), .araddr(m_axi_araddr), .arlen(m_axi_arlen), .arsize(m_axi_arsize),
        .arburst(m_axi_arburst), .rvalid(m_axi_rvalid), .rready(m_axi_rready), .rdata(m_axi_rdata), .rresp(m_axi_rresp),
        .rlast(m_axi_rlast), .w_stage(w_stage), .w_group(w_group), .w_address(w_address), .w_data(w_data),
        .loaded(loaded), .loaded_bad(loaded_bad), .freed(freed), .error(error), .retries(retries),
        .fault(loader_fault));
    ts_watch #(.N(STAGES + 1)) watch (.clk(clk), .rst(rst), .bad({gate_fault, loader_fault}), .fault(fault));

    genvar s;
    generate
        for (s = 0; s < STAGES; s = s + 1) begin : g_stage
            ts_page_gate #(.BUFFERS({30'd0, BUFFERS[s*2 +: 2]}), .TURNS({24'd0, TURNS[s*8 +: 8]}), .LW(LW), .TAGW(TAGW), .EVW(EVW),
                           .LATE(LATE)) gate (
                .clk(clk), .rst(rst), .s_valid(g_valid[s]), .s_ready(g_ready[s]), .s_tag(g_tag[s*TAGW +: TAGW]),
                .m_valid(t_valid[s]), .m_ready(t_ready[s]), .page(page[s]), .page_bad(page_bad[s]),
                .o_valid(o_valid[s]), .o_ready(o_ready[s]), .o_tag(o_tag[s*TAGW +: TAGW]),
                .loaded(loaded[s]), .loaded_bad(loaded_bad), .freed(freed[s]), .hit(hit[s]), .hit_event(hit_event[s*EVW +: EVW]),
                .stalls(stalls[s*32 +: 32]), .late(late[s]), .fault(gate_fault[s]));
        end
    endgenerate

    ts_page_poison #(.GATES(STAGES), .EVW(EVW)) poison (
        .clk(clk), .rst(rst), .hit(hit), .hit_event(hit_event), .out_done(out_done), .error(out_error));

`ifdef TS_CHECK
    ts_axi_read_check #(.DATAW(64 * LANES), .ADDRW(ADDRW), .BURSTS(BURSTS > 1 ? 1 << $clog2(BURSTS) : 2)) check (
        .clk(clk), .rst(rst), .arvalid(m_axi_arvalid), .arready(m_axi_arready), .araddr(m_axi_araddr), .arlen(m_axi_arlen),
        .arsize(m_axi_arsize), .arburst(m_axi_arburst), .rvalid(m_axi_rvalid), .rready(m_axi_rready), .rdata(m_axi_rdata),
        .rresp(m_axi_rresp), .rlast(m_axi_rlast));
`endif
endmodule

`default_nettype wire
