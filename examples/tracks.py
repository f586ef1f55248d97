# %% [markdown]
# # A trained tracker becomes hardware
# EncReg is compiled for a ZCU102. Events go through its integer model, bit for bit what the hardware gives, and through onnxruntime; both are scored,
# and an event is drawn. A script, `tracks.py [MODEL EVENTS INPUTS DIRECTORY PICTURE]`, or cell by cell where an editor knows `# %%`.
# %%
import sys
import matplotlib.pyplot as plt
import numpy as np
import tessera
from onnx_runtime import infer

shipped = [f"models/encreg.{kind}" for kind in ("onnx", "csv", "inputs.json")]
model, events, inputs, directory, picture = sys.argv[1:] or shipped + ["out/tracks", "tracks.png"]
# %% Compile, and run an array
design = tessera.compile(model, directory, "zcu102", events=events, inputs=inputs)
data = tessera.read_events(events, inputs)
array, lengths = data.padded(), data.lengths  # [events][tokens][features], standardised, and [events]
integer = design.run(array, lengths, standardised=True)  # [events][tokens][outputs]
print(design, f"{design.predict().latency_us:.0f} us for {design.info.plan_tokens} hits", sep="\n")
# %% Compare with onnxruntime, and score both
reference = infer(model, array, lengths)
print(f"outputs differ by {np.nanmedian(abs(integer - reference)):.2g} (median)")
scores = design.score({"hardware": tessera.Results.of(integer, data), "onnxruntime": tessera.Results.of(reference, data)}, events)
print(scores)
# %% Draw an event: what made its hits, and the tracks that the hardware finds, in the colour of the particle that most of their hits are of
which = int(np.argmin(abs(lengths - 170)))
found = scores.candidates("hardware", which)
hits = np.genfromtxt(events, delimiter=",", names=True, dtype=None)
hits = hits[hits["event_id"] == found.id]
x, y, z = (hits[axis] / 1000 for axis in "xyz")
order = np.argsort(x**2 + y**2 + z**2)
by_angle = sorted(set(found.particle_ids) - {0}, key=lambda p: np.arctan2(*(hits[axis][found.particle_ids == p].mean() for axis in ("py", "px"))))
figure, axes = plt.subplots(2, 2, figsize=(11, 10), layout="constrained", gridspec_kw={"width_ratios": [4, 5]})
for row, label, title in zip(axes, (found.particle_ids, found.candidates), ("truth", "found by the hardware")):
    for track in np.unique(label):
        own = order[label[order] == track]
        most = max(by_angle, key=lambda p: np.sum(found.particle_ids[own] == p))
        none, wrong = track == (0 if label is found.particle_ids else -1), own[found.particle_ids[own] != most]
        for ax, across, up in zip(row, (x, z), (y, np.hypot(x, y))):
            ax.plot(across[own], up[own], "x" if none else "o-", color="k" if none else f"C{by_angle.index(most) % 10}", markersize=4, linewidth=1)
            ax.plot(across[wrong], up[wrong], "o", color="k", fillstyle="none", markersize=8) if not none else None
    row[0].set(title=f"{title}: transverse", xlabel="x [m]", ylabel="y [m]", aspect="equal")
    row[1].set(title=f"{title}: longitudinal", xlabel="z [m]", ylabel="r [m]", ylim=(0, 1.2))
marks = axes[1, 1].plot([], [], "kx", [], [], "ko", fillstyle="none", markersize=7)
axes[1, 1].legend(marks, ["in no track", "of another particle"], loc="upper right", ncol=2)
figure.suptitle(f"{design.info.model}, event {found.id}: {len(found.hit_ids)} hits of {len(by_angle)} particles")
figure.savefig(picture, dpi=85)
