"""The usual law, E + A N^-alpha + B D^-beta, fitted by scipy: what `tables` is compared with.

    pip install numpy scipy
    python3 eval/stats/examples/scipy_fit.py TABLE.csv ...

For each series of each table: the law of all points, and the loss at the largest data size as
the law of the others foretells it. Relative errors, Huber's loss with a threshold of 0.01, the
best of 27 starts. Tables have the columns that `brevity critical --points` reads.
"""

import csv
import itertools
import pathlib
import sys

import numpy as np
from scipy.optimize import least_squares


def series(path):
    with open(path, newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        found = {}
        for row in rows:
            key = " ".join(filter(None, (row.get("source"), row.get("variant"))))
            point = [float(row[name]) for name in ("parameters", "data_bytes", "bits_per_byte")]
            found.setdefault(key, []).append(point)
    return {key: np.array(points) for key, points in found.items()}


def loss(x, n, d):
    log_e, log_a, alpha, log_b, beta = x
    return np.exp(log_e) + np.exp(log_a - alpha * np.log(n)) + np.exp(log_b - beta * np.log(d))


def fit(points):
    n, d, measured = points.T
    misses = lambda x: loss(x, n, d) / measured - 1.0
    lowest = np.log(measured.min())
    starts = itertools.product((lowest - 2.0, lowest - 0.5, lowest), (0.2, 0.35, 0.5), (0.2, 0.35, 0.5))
    # One bit of each term at the middle of the table.
    middle = np.log(n).mean(), np.log(d).mean()
    fits = (
        least_squares(
            misses,
            [e, alpha * middle[0], alpha, beta * middle[1], beta],
            loss="huber",
            f_scale=0.01,
            x_scale="jac",
            max_nfev=5000,
        )
        for e, alpha, beta in starts
    )
    return min(fits, key=lambda found: found.cost).x


for path in sys.argv[1:]:
    for key, points in series(path).items():
        largest = points[:, 1].max()
        below = points[points[:, 1] < largest]
        if len(below) < 8 or len(set(below[:, 1])) < 3:
            continue
        e, a, alpha, b, beta = fit(points)
        foretold = fit(below)
        n, d, measured = points[points[:, 1] == largest][0]
        print(
            f"| {pathlib.Path(path).stem} | {key} | `{np.exp(e):.2f} + {np.exp(a):.4g} N^-{alpha:.3f}"
            f" + {np.exp(b):.4g} D^-{beta:.3f}` | {loss(foretold, n, d):.3f} |"
            f" {100 * (loss(foretold, n, d) / measured - 1):+.1f}% |"
        )
