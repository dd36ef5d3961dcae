"""
Does a table of a paper hold on new artists?
============================================

Hu & Mogos compare activations of three networks, and find leaky ReLU best. Each table of the papers
can be run again with one call, under the paper's own division of segments and with no artist on
both sides.

The claim: **a conclusion of a table has to survive the change of protocol**, and one call shows
whether it does.
"""

# %%
# Run it
# ------
#
# The table of the MLP has five activations; three of them are enough here. With
# ``quick=True`` and made music the figures mean nothing by themselves: use GTZAN and the defaults
# for a run that counts, or ``skgenre reproduce hu2022/table2 --data gtzan``.

import warnings

import matplotlib.pyplot as plt
import numpy as np

from skgenre import make_genres, reproduce

warnings.simplefilter("ignore", UserWarning)  # of genres with few artists
music = make_genres(8, genres=3, n_artists=4, duration=15.0, overlap=0.7, random_state=0)
cells = ["mlp-tanh", "mlp-relu", "mlp-leaky_relu"]
result = reproduce("hu2022/table2", music, quick=True, epochs=8, only=cells)
print(result.to_markdown().split("\n\n")[2])

# %%
# How to read it
# --------------
#
# For each activation: what the paper says, what comes out under its protocol, and what is left with
# new artists. Compare the differences between activations with those between protocols.

rows = [row for row in result.rows if row["figure"] == "validation accuracy"]
places = np.arange(len(rows))
measured, honest = (np.array([row[kind] for row in rows]) for kind in ("measured", "honest"))
low, high = (np.array([row[end] for row in rows]) for end in ("honest_low", "honest_high"))

figure, ax = plt.subplots(layout="constrained")
ax.bar(places - 0.2, measured, 0.4, label="measured, the paper's protocol")
ax.bar(places + 0.2, honest, 0.4, hatch="//", label="measured, new artists")
ax.errorbar(places + 0.2, honest, [honest - low, high - honest], fmt="none", ecolor="k", capsize=4)
ax.plot(places, [row["paper"] for row in rows], "kD", label="the paper, on GTZAN")
ax.set(ylabel="accuracy of segments", ylim=(0, 1))
ax.set_xticks(places, [row["cell"] for row in rows])
figure.legend(loc="outside upper center", ncols=2)
plt.show()

spread = {name: np.ptp(values) for name, values in (("measured", measured), ("honest", honest))}
print(f"activations differ by at most {max(spread.values()):.2f}")
print(f"protocols differ by at least  {np.min(measured - honest):.2f}")
