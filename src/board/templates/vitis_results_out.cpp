// Kernel results_out: the engine's stream of results to the card's memory. Event e goes to the words from e * stride on, its status word
// last (bit 0 refused, bit 1 error, bits 31 to 8 how many results); lengths[e] is how many words it had. What is beyond `stride` is not
// written.
#include "stream.h"
#include <ap_axi_sdata.h>
#include <ap_int.h>
#include <hls_stream.h>

typedef ap_axiu<STREAM_BITS, 0, 0, 0> word;

extern "C" void results_out(ap_uint<STREAM_BITS> *memory, unsigned *lengths, unsigned events, unsigned stride, hls::stream<word> &results)
{
#pragma HLS interface m_axi port = memory bundle = memory
#pragma HLS interface m_axi port = lengths bundle = lengths
#pragma HLS interface axis port = results
    for (unsigned event = 0; event < events; event++) {
        unsigned n = 0;
        bool last = false;
        while (!last) {
#pragma HLS pipeline II = 1
            const word w = results.read();
            if (n < stride)
                memory[event * stride + n] = w.data;
            n++;
            last = w.last[0];
        }
        lengths[event] = n;
    }
}
