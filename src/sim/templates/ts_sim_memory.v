// Stands for external memory behind an AXI4 read port, in simulation only: the image from BASE on, BEATS beats of 8 * LANES bytes. A
// burst's first beat comes LATENCY cycles behind its address (1 at least); bursts follow each other in order, at most RATE / 65536 beats a
// cycle. What breaks AXI4 or reads beside the image ends the simulation. Plus arguments:
//   +memory_next=FILE        a second image, from NEXT on: FILE.NUMBER
//   +memory_stalls=P         in P percent of the cycles no address is taken, in others as many no beat is given
//   +memory_fault=M          something befalls memory M at the beat ...
//   +memory_beat=N           ... that is the N-th which it gives, counted from 0:
//   +memory_kind=late        nothing comes for +memory_hold=CYCLES (10000)
//                flip        a bit turns over
//                flip-always and again whenever that beat is read, until the loader has given up
//                error       the beat is an error (SLVERR), again until the loader has given up
`default_nettype none

module ts_sim_memory #(
    parameter             LANES   = 1,
    parameter             BEATS   = 1,
    parameter             LATENCY = 2,
    parameter             RATE    = 65536,
    parameter             BURSTS  = 8, // on their way at most
    parameter             ADDRW   = 40,
    parameter [ADDRW-1:0] BASE    = 0,
    parameter [ADDRW-1:0] NEXT    = BASE, // another one: that is where the image of +memory_next is
    parameter             NUMBER  = 0,
    parameter             IMAGE   = "mem/pages.bin",
    parameter             LATER   = ""  // the second image, where nothing else is said
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                arvalid,
    output reg                 arready,
    input  wire [ADDRW-1:0]    araddr,
    input  wire [7:0]          arlen,
    input  wire [2:0]          arsize,
    input  wire [1:0]          arburst,
    output reg                 rvalid,
    input  wire                rready,
    output wire [LANES*64-1:0] rdata,
    output reg  [1:0]          rresp,
    output reg                 rlast,
    input  wire                gave_up
);
    localparam BYTES = 8 * LANES;
    localparam DEPTH = BURSTS + 1;

    localparam IMAGES = NEXT == BASE ? 1 : 2;

    reg [8*BYTES-1:0] image [0:IMAGES*BEATS-1], other [0:BEATS-1]; // a beat's first byte is the highest, as $fread has it
    reg [31:0]        beat_of [0:DEPTH-1], due_of [0:DEPTH-1];
    reg [8:0]         beats_of [0:DEPTH-1];
    reg [31:0]        head, tail, count, now, credit, given, stalls, fault, fault_beat, hold, held, spoilt_beat, address;
    reg [11*8-1:0]    kind;
    reg [1024*8-1:0]  next_name, next_file;
    reg               spoilt, asked_before;
    reg [ADDRW+7:0]   asked;
    reg [8*BYTES-1:0] word, next;
    integer           file, got, k;

    genvar i;
    generate
        for (i = 0; i < BYTES; i = i + 1) begin : g_byte
            assign rdata[8*i +: 8] = word[8*(BYTES-1-i) +: 8];
        end
    endgenerate

    task broken(input [8*60-1:0] what);
        begin
            $display("FAIL: external memory %0d: %0s (address %h, %0d beats)", NUMBER, what, araddr, arlen + 1);
            $finish;
        end
    endtask

    initial begin
        if (!$value$plusargs("memory_stalls=%d", stalls))
            stalls = 0;
        if (!$value$plusargs("memory_fault=%d", fault))
            fault = 32'hffffffff;
        if (!$value$plusargs("memory_beat=%d", fault_beat))
            fault_beat = 0;
        if (!$value$plusargs("memory_kind=%s", kind))
            kind = "flip";
        if (!$value$plusargs("memory_hold=%d", hold))
            hold = 10000;
        file = $fopen(IMAGE, "rb");
        got  = 0;
        if (file != 0) begin
            got = $fread(image, file);
            $fclose(file);
        end
        if (got != BEATS * BYTES) begin
            $display("FAIL: %0s has %0d bytes, it should have %0d", IMAGE, got, BEATS * BYTES);
            $finish;
        end
        next_file = LATER;
        if ($value$plusargs("memory_next=%s", next_name))
            $sformat(next_file, "%0s.%0d", next_name, NUMBER);
        if (IMAGES == 2 && next_file != 0) begin
            file = $fopen(next_file, "rb");
            got  = 0;
            if (file != 0) begin
                got = $fread(other, file);
                $fclose(file);
            end
            if (got != BEATS * BYTES) begin
                $display("FAIL: %0s has %0d bytes, it should have %0d", next_file, got, BEATS * BYTES);
                $finish;
            end
            for (k = 0; k < BEATS; k = k + 1)
                image[BEATS + k] = other[k];
        end
    end

    // One cycle after the other: what is taken, what is given.
    always @(posedge clk)
        if (rst) begin
            head    = 0;
            tail    = 0;
            count   = 0;
            now     = 0;
            credit  = 0;
            given   = 0;
            held    = 0;
            spoilt  = 1'b0;
            arready <= 1'b0;
            rvalid  <= 1'b0;
            asked_before = 1'b0;
        end else begin
            if (asked_before && (!arvalid || {araddr, arlen} !== asked))
                broken("an address was taken back before it was taken");
            asked_before = arvalid && !arready;
            asked        = {araddr, arlen};
            if (arvalid && arready) begin
                address = IMAGES == 2 && araddr >= NEXT ? BEATS + (araddr - NEXT) / BYTES : (araddr - BASE) / BYTES;
                if (arburst !== 2'b01 || (1 << arsize) != BYTES || araddr % BYTES != 0)
                    broken("not an incrementing burst of whole beats");
                if (araddr < BASE || (address < BEATS && address + arlen >= BEATS) || address + arlen >= IMAGES * BEATS)
                    broken("a burst beside the image");
                if (araddr / 4096 != (araddr + (arlen + 1) * BYTES - 1) / 4096)
                    broken("a burst crosses 4 KiB");
                if (count == BURSTS)
                    broken("too many bursts");
                beat_of[tail]  = address;
                beats_of[tail] = arlen + 1;
                due_of[tail]   = now + LATENCY;
                tail           = tail == DEPTH - 1 ? 0 : tail + 1;
                count          = count + 1;
            end
            arready <= ($unsigned($random) % 100) >= stalls;

            credit = credit + RATE;
            if (!rvalid || rready) begin
                rvalid <= 1'b0;
                if (credit >= 65536 && count != 0 && due_of[head] <= now + 1 && held == 0 && ($unsigned($random) % 100) >= stalls) begin
                    if (fault == NUMBER && given == fault_beat && kind == "late" && !spoilt) begin
                        held   = hold;
                        spoilt = 1'b1;
                    end else begin
                        next   = image[beat_of[head]];
                        rresp <= 2'b00;
                        if (fault == NUMBER && given == fault_beat) begin
                            spoilt      = 1'b1;
                            spoilt_beat = beat_of[head];
                        end
                        if (spoilt && kind != "late" && beat_of[head] == spoilt_beat && (given == fault_beat || (kind != "flip" && !gave_up))) begin
                            if (kind == "error")
                                rresp <= 2'b10;
                            else
                                next = next ^ {{(8*BYTES-1){1'b0}}, 1'b1} << (given + 13) % (8 * BYTES);
                        end
                        word           <= next;
                        rvalid         <= 1'b1;
                        rlast          <= beats_of[head] == 1;
                        given          = given + 1;
                        beat_of[head]  = beat_of[head] + 1;
                        beats_of[head] = beats_of[head] - 1;
                        if (beats_of[head] == 0) begin
                            head  = head == DEPTH - 1 ? 0 : head + 1;
                            count = count - 1;
                        end
                    end
                end
            end
            // Chances that are not used are not saved.
            if (credit >= 65536)
                credit = credit - 65536;
            if (held != 0)
                held = held - 1;
            now = now + 1;
        end
endmodule

`default_nettype wire
