"""The encoders that are shipped: post-norm, ReLU, no positional encoding, one linear before and one behind, as published for TrackFormers."""
import torch
import torch.nn.functional as F

from attention import attend


class Encoder(torch.nn.Module):
    def __init__(self, features, d, heads, ff, layers, outputs):
        super().__init__()
        self.heads = heads
        self.embedding = torch.nn.Linear(features, d)
        layer = torch.nn.TransformerEncoderLayer(d, heads, ff, dropout=0.0, batch_first=True)
        self.encoder = torch.nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = torch.nn.Linear(d, outputs)
        for l in self.encoder.layers:  # TransformerEncoder copies one layer: make them differ
            torch.nn.init.xavier_uniform_(l.self_attn.in_proj_weight)
            for linear in (l.self_attn.out_proj, l.linear1, l.linear2):
                torch.nn.init.xavier_uniform_(linear.weight)

    def forward(self, hits):
        return self.output(self.encoder(self.embedding(hits)))

    def output(self, state):
        return self.head(state)

    def states(self, hits, particle):
        """The same computation for training: the state after each layer [events, hits, d], and log_own (see attention.py) of each."""
        x, states, owns = self.embedding(hits), [], []
        for l in self.encoder.layers:
            a = l.self_attn
            context, own = attend(F.linear(x, a.in_proj_weight, a.in_proj_bias), particle, self.heads)
            x = l.norm1(x + a.out_proj(context))
            x = l.norm2(x + l.linear2(F.relu(l.linear1(x))))
            states.append(x)
            owns.append(own)
        return states, owns


def export(model, features, path, output):
    """Writes the ONNX file; the parameters must require gradients, else PyTorch takes its fused encoder path, which has no ONNX form."""
    model = model.cpu().train(False)
    for p in model.parameters():
        p.requires_grad_(True)
    torch.onnx.export(model, torch.zeros(1, 7, features), path, opset_version=14, input_names=["hits"], output_names=[output],
                      dynamic_axes={"hits": {0: "batch", 1: "hits"}, output: {0: "batch", 1: "hits"}})
