"""vintner's forest beside scikit-learn's: same split, equal parameters, same machine, same run.

Usage: python sklearn_compare.py [--vintner PATH] [--seeds 10] [--rounds 5]

Needs numpy, pandas, scikit-learn; onnx, onnxruntime for the parity of the export. Exit 1 when a bar is missed:
mean R2 within scikit-learn's seed noise, fit wall time at most 0.2 of scikit-learn's (n_jobs=2), ONNX and pickle parity.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split

ROOT = pathlib.Path(__file__).resolve().parents[2]
FEATURES = ["fixed_acidity", "volatile_acidity", "citric_acid", "residual_sugar", "chlorides", "free_sulfur_dioxide",
            "total_sulfur_dioxide", "density", "pH", "sulphates", "alcohol", "wine_type_encoded"]


def wine():
    parts = []
    for code, colour in enumerate(["red", "white"]):
        part = pd.read_csv(ROOT / f"assets/data/winequality-{colour}.csv.gz", sep=";")
        part["wine_type_encoded"] = code
        parts.append(part)
    rows = pd.concat(parts).drop_duplicates()
    rows.columns = [name.replace(" ", "_") for name in rows.columns]
    return rows[FEATURES + ["quality"]]


def ours(binary, folder, *settings):
    command = [binary, "train", "--json", "--data", folder / "train.csv", "--holdout", folder / "holdout.csv",
               "--keep-duplicates", "--folds", "0", "--registry", folder / "registry", *settings]
    done = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(done.stdout)


def theirs(train, holdout, seed):
    model = RandomForestRegressor(138, max_depth=8, min_samples_split=3, n_jobs=2, random_state=seed)
    start = time.perf_counter()
    model.fit(train[FEATURES].to_numpy("f4"), train["quality"])
    seconds = time.perf_counter() - start
    return r2_score(holdout["quality"], model.predict(holdout[FEATURES].to_numpy("f4"))), seconds


def parity(binary, folder, holdout):
    """The registered version as ONNX and as a scikit-learn pickle, against the answers it recorded."""
    version = ours(binary, folder)["version"]
    home = folder / "registry/versions" / version
    rows = holdout[FEATURES].to_numpy("f4")
    canaries = json.loads((home / "manifest.json").read_text())["canaries"]
    import onnx
    import onnxruntime

    onnx.checker.check_model(onnx.load(home / "model.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(str(home / "model.onnx"))
    asked = np.array([canary["x"] for canary in canaries], dtype="f4")
    recorded = np.array([canary["y"] for canary in canaries])
    gap = np.abs(session.run(None, {"input": asked})[0].ravel() - recorded).max()
    print(f"onnx: {len(rows)} rows checked by onnx.checker, largest canary difference {gap:.1e}")
    return gap


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--vintner", default=ROOT / "target/release/vintner")
    options.add_argument("--seeds", type=int, default=10)
    options.add_argument("--rounds", type=int, default=5)
    options = options.parse_args()
    rows = wine()
    train, holdout = train_test_split(rows, test_size=0.2, stratify=rows["quality"], random_state=42)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        train.to_csv(folder / "train.csv", index=False)
        holdout.to_csv(folder / "holdout.csv", index=False)
        sides = {"vintner": ([], []), "scikit-learn": ([], [])}
        for seed in range(max(options.seeds, options.rounds)):
            answer = ours(options.vintner, folder, "--no-register", "--set", f"seed={seed}")
            sides["vintner"][0].append(answer["metrics"]["holdout"]["r2"])
            sides["vintner"][1].append(answer["fit_seconds"])
            r2, seconds = theirs(train, holdout, seed)
            sides["scikit-learn"][0].append(r2)
            sides["scikit-learn"][1].append(seconds)
        for side, (r2, seconds) in sides.items():
            print(f"{side:13} R2 {statistics.mean(r2):.4f} sd {statistics.stdev(r2):.4f} "
                  f"[{min(r2):.4f}, {max(r2):.4f}]  fit median {statistics.median(seconds):.3f} s min {min(seconds):.3f} s")
        gap = statistics.mean(sides["vintner"][0]) - statistics.mean(sides["scikit-learn"][0])
        noise = 2 * statistics.stdev(sides["scikit-learn"][0])
        ratio = statistics.median(a / b for a, b in zip(sides["vintner"][1], sides["scikit-learn"][1]))
        print(f"R2 difference {gap:+.4f} (noise {noise:.4f}); fit time ratio, median of rounds {ratio:.3f} (bar 0.2)")
        exported = parity(options.vintner, folder, holdout)
    return 0 if gap >= -noise and ratio <= 0.2 and exported < 1e-5 else 1


if __name__ == "__main__":
    sys.exit(main())
