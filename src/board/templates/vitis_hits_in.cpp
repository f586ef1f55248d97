// Kernel hits_in: events from the card's memory to the engine's stream of hits. Event e is `lengths[e]` bytes from word e * stride on, in
// the slots of rtl/ts_axis_in.v; TLAST ends it, TKEEP says what of its last word is used.
#include "stream.h"
#include <ap_axi_sdata.h>
#include <ap_int.h>
#include <hls_stream.h>

typedef ap_axiu<STREAM_BITS, 0, 0, 0> word;

extern "C" void hits_in(const ap_uint<STREAM_BITS> *memory, const unsigned *lengths, unsigned events, unsigned stride,
                        hls::stream<word> &hits)
{
#pragma HLS interface m_axi port = memory bundle = memory
#pragma HLS interface m_axi port = lengths bundle = lengths
#pragma HLS interface axis port = hits
    const unsigned bytes = STREAM_BITS / 8;
    for (unsigned event = 0; event < events; event++) {
        const unsigned length = lengths[event], words = (length + bytes - 1) / bytes;
        for (unsigned n = 0; n < words; n++) {
#pragma HLS pipeline II = 1
            word w;
            w.data = memory[event * stride + n];
            for (unsigned i = 0; i < bytes; i++) {
#pragma HLS unroll
                w.keep[i] = n * bytes + i < length;
            }
            w.strb = w.keep;
            w.last = n + 1 == words;
            hits.write(w);
        }
    }
}
