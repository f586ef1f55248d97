"""Multi-head self-attention for training: attention.c on a CPU with a C compiler, plain PyTorch elsewhere (a GPU, or no compiler).

attend(qkv, particle, heads) takes qkv [events, tokens, 3 * d] and particle [events, tokens] and returns the context [events, tokens, d] and
log_own [events, heads, tokens]: the logarithm of each query's attention, averaged over the hits of its own particle: the (negative) cross entropy
between the attention and a uniform one over those hits."""
import ctypes
import math
import os
import shutil
import subprocess
import tempfile

import torch


def build():
    """The compiled attention.c, or None where there is no C compiler."""
    compiler = shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        return None
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "attention.c")
    with tempfile.TemporaryDirectory() as folder:
        library = os.path.join(folder, "attention.so")
        subprocess.run([compiler, "-O3", "-march=native", "-mprefer-vector-width=512", "-ffp-contract=fast", "-fno-math-errno", "-fopenmp-simd", "-fPIC",
                        "-shared", "-Wno-psabi", source, "-o", library, "-lm"], check=True)
        return ctypes.CDLL(library)


class Compiled(torch.autograd.Function):
    library = None

    @staticmethod
    def forward(ctx, qkv, particle, heads):
        events, tokens, d3 = qkv.shape
        qkv, particle = qkv.contiguous(), particle.contiguous()
        context = qkv.new_empty(events, tokens, d3 // 3)
        log_sum, log_own = qkv.new_empty(events, heads, tokens), qkv.new_empty(events, heads, tokens)
        call(Compiled.library.attention_forward, (qkv, particle, context, log_sum, log_own), (events, tokens), (heads, d3 // 3 // heads))
        ctx.save_for_backward(qkv, particle, context, log_sum)
        ctx.heads = heads
        return context, log_own

    @staticmethod
    def backward(ctx, d_context, d_own):
        qkv, particle, context, log_sum = ctx.saved_tensors
        events, tokens, d3 = qkv.shape
        d_qkv = torch.empty_like(qkv)
        call(Compiled.library.attention_backward, (qkv, particle, context, log_sum, d_context.contiguous(), d_own.contiguous(), d_qkv),
             (events, tokens), (ctx.heads, d3 // 3 // ctx.heads))
        return d_qkv, None, None


def call(function, tensors, longs, ints):
    assert all(t.dtype == torch.float32 and t.is_contiguous() for t in tensors)
    function(*[ctypes.c_void_p(t.data_ptr()) for t in tensors], *[ctypes.c_long(n) for n in longs], *[ctypes.c_int(n) for n in ints])


def plain(qkv, particle, heads):
    events, tokens, d3 = qkv.shape
    q, k, v = qkv.view(events, tokens, 3, heads, -1).permute(2, 0, 3, 1, 4)
    log_p = torch.log_softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), -1)
    own = (particle[:, :, None] == particle[:, None, :]).to(log_p.dtype)[:, None]
    log_own = (log_p * own).sum(-1) / own.sum(-1)
    return (log_p.exp() @ v).transpose(1, 2).reshape(events, tokens, -1), log_own


def attend(qkv, particle, heads):
    if qkv.is_cuda:
        return plain(qkv, particle, heads)
    if Compiled.library is None:
        Compiled.library = build() or False
    return Compiled.apply(qkv, particle, heads) if Compiled.library else plain(qkv, particle, heads)
