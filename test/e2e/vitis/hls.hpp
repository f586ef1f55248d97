/* Of Vitis HLS, what the kernels that move events use, for a compiler on a host: numbers as bits, a word of AXI4-Stream, a stream that never blocks (what
   is read must have been written). */
#pragma once
#include <bitset>
#include <cstdlib>
#include <deque>

template <int W> using ap_uint = std::bitset<W>;

template <int W, int U, int I, int D> struct ap_axiu {
    ap_uint<W> data;
    ap_uint<W / 8> keep, strb;
    ap_uint<1> last;
};

namespace hls
{
template <class T> struct stream {
    std::deque<T> words;
    void write(const T &w)
    {
        words.push_back(w);
    }
    T read()
    {
        if (words.empty())
            abort();
        const T w = words.front();
        words.pop_front();
        return w;
    }
};
} // namespace hls
