// Admission of events to the ring: gives each token its tag {drop, last, layer 0} and the output order its descriptor.
//   A new event enters only when the one before it has made all its keys and values (ev_final) or has been refused, and when the
//   order has a place for its descriptor.
//   A token beyond NMAX goes on as the one token with tag.drop, which takes back its event; the event's descriptor says refused,
//   and the rest of the event is swallowed. So does a transfer with s_refused, with which a ring before this one refuses the event: its
//   last transfer, no token. s_error, with an event's last transfer, says that the event is not what it was (a damaged link); it goes on
//   as it came, and its descriptor says so.
// Latency 1, one token a cycle; an event's first token can be accepted the cycle after ev_final.
`default_nettype none

module ts_admit #(
    parameter WIDTH  = 16,
    parameter NMAX   = 16, // tokens of the longest event
    parameter LW     = 1,
    parameter TAGW   = 3,
    parameter QDEPTH = 4,  // events whose results are not out yet
    parameter HALF   = 0   // its slice takes a word every other cycle
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [WIDTH-1:0] s_data,
    input  wire             s_last,
    input  wire             s_refused,
    input  wire             s_error,
    input  wire             ev_final,
    output wire             m_valid,
    input  wire             m_ready,
    output wire [WIDTH-1:0] m_data,
    output wire [TAGW-1:0]  m_tag,
    output wire             d_valid,
    input  wire             d_ready,
    output wire [1:0]       d_data, // {error, refused}
    output wire             fault   // ts_watch: a descriptor found no place
);
    localparam        NW    = $clog2(NMAX + 1);
    localparam [31:0] LIMIT = NMAX;
    localparam        QW    = $clog2(QDEPTH + 1);

    generate
        if (TAGW != LW + 2 || NMAX < 1) begin : g_guard
            ts_admit_needs_TAGW_of_LW_plus_2_and_NMAX_of_at_least_1 guard ();
        end
    endgenerate

    reg           begun;   // between an event's first token and its last
    reg           swallow; // the rest of a refused event
    reg           waiting; // the event has keys and values to make
    reg  [NW-1:0] n;       // its tokens so far
    wire          out_ready, d_room;
    wire [QW-1:0] d_count;

    // Only the descriptor of the event that is entering can take the place seen here: d_room holds until it is pushed.
    wire          open = begun || (!waiting && d_room);
    wire          over = n == LIMIT[NW-1:0] || s_refused;
    wire          pass = s_valid && !swallow && open && out_ready;
    wire          decided = pass && (s_last || over);

    assign s_ready = swallow || (open && out_ready);

    always @(posedge clk)
        if (rst) begin
            begun   <= 1'b0;
            swallow <= 1'b0;
            waiting <= 1'b0;
            n       <= {NW{1'b0}};
        end else begin
            if (pass) begin
                begun   <= !s_last && !over;
                swallow <= !s_last && over;
                n       <= s_last || over ? {NW{1'b0}} : n + 1'b1;
            end else if (s_valid && s_last)
                swallow <= 1'b0;
            waiting <= pass ? !over : waiting && !ev_final;
        end

    ts_slice #(.WIDTH(TAGW + WIDTH), .HALF(HALF)) slice (
        .clk(clk), .rst(rst), .s_valid(s_valid && !swallow && open), .s_ready(out_ready),
        .s_data({over, s_last && !over, {LW{1'b0}}, s_data}), .m_valid(m_valid), .m_ready(m_ready), .m_data({m_tag, m_data}));

    ts_fifo_lut #(.WIDTH(2), .DEPTH(QDEPTH)) order (
        .clk(clk), .rst(rst), .s_valid(decided), .s_ready(d_room), .s_data({s_last && s_error, over}),
        .m_valid(d_valid), .m_ready(d_ready), .m_data(d_data), .count(d_count));
    ts_watch watch (.clk(clk), .rst(rst), .bad(decided && !d_room), .fault(fault));
    wire unused = &{1'b0, d_count};
endmodule

`default_nettype wire
