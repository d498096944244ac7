"""Wines, splits and a home of vintner's own: what the learning checks share."""

import csv
import functools
import gzip
import json
import mmap
import os
import pathlib
import shutil
import subprocess
import tempfile

import numpy as np
from sklearn.model_selection import StratifiedKFold, train_test_split

from vintner import DEMO

ROOT = pathlib.Path(__file__).resolve().parents[2]
FEATURES = list(DEMO)
WINE_TYPE = FEATURES.index("wine_type_encoded")
SEED = 42


@functools.cache
def wine():
    """Features (f32, as vintner's trees compare them) and quality, red before white, duplicates dropped."""
    rows = {}
    for code, colour in enumerate(["red", "white"]):
        with gzip.open(ROOT / f"assets/data/winequality-{colour}.csv.gz", "rt") as table:
            for *chemistry, quality in list(csv.reader(table, delimiter=";"))[1:]:
                rows[(*map(float, chemistry), code, float(quality))] = None
    table = np.array(list(rows))
    return table[:, :-1].astype("f4"), table[:, -1]


@functools.cache
def split():
    """Row numbers of the training and the holdout side, by scikit-learn itself."""
    quality = wine()[1]
    train, holdout = train_test_split(np.arange(len(quality)), test_size=0.2, stratify=quality, random_state=SEED)
    return np.sort(train), np.sort(holdout)


@functools.cache
def folds():
    return list(StratifiedKFold(5, shuffle=True, random_state=SEED).split(*wine()))


def holdout_rows():
    return wine()[0][split()[1]]


def is_release():
    """The release profile strips the binary; the one for tests keeps a section with line tables."""
    with open(os.environ["VINTNER"], "rb") as binary, mmap.mmap(binary.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(b"\0.debug_line\0") < 0


def tell(text):
    """A figure, above the line of its check."""
    print(f"       {text}", flush=True)


class Home:
    """`with Home() as home:` is a machine where vintner has never run: no registry, no spool, no configuration."""

    def __init__(self, **env):
        private = ("AWS_", "XDG_", "MLFLOW_", "S3_")
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(private)} | env

    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="vintner-interop-"))
        self.env["HOME"] = str(self.dir)
        self.registry = self.dir / ".local/share/vintner/registry"
        self.spool = self.dir / ".local/state/vintner/mlflow"
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)

    def run(self, *arguments, code=(0,), **env):
        command = [os.environ["VINTNER"], *map(str, arguments)]
        done = subprocess.run(command, env=self.env | env, cwd=self.dir, capture_output=True, text=True, timeout=300)
        if done.returncode not in code:
            raise AssertionError(f"{arguments} ended with {done.returncode}: {done.stdout[-500:]} {done.stderr[-2000:]}")
        return done

    def json(self, *arguments, **env):
        return json.loads(self.run(*arguments, "--json", **env).stdout)

    def train(self, *arguments, **env):
        return self.json("train", *arguments, **env)

    def version(self, name):
        return self.registry / "versions" / name

    def queued(self):
        """Runs that wait for MLflow."""
        return sorted(self.spool.glob("*.json"))

    def predict(self, rows):
        """The champion's scores, by `vintner predict` on this machine; a float64 text gives back the very f32."""
        asked, scored = self.dir / "asked.csv", self.dir / "scored.csv"
        scored.unlink(missing_ok=True)
        with open(asked, "w", newline="") as table:
            writer = csv.writer(table)
            writer.writerow(FEATURES)
            writer.writerows([[repr(float(value)) for value in row] for row in rows])
        self.run("predict", "--via", "local", "--csv", asked, "--out", scored)
        with open(scored, newline="") as table:
            return np.array([row["prediction"] for row in csv.DictReader(table)], dtype="f4")


def cuts_met(tree, row):
    """Feature and threshold of every cut on a row's way down, the wine type's left out: it must be 0 or 1."""
    node, met = 0, []
    while (feature := tree["feature"][node]) >= 0:
        threshold = np.float32(tree["threshold"][node])
        if feature != WINE_TYPE:
            met.append((feature, threshold))
        node = tree["left"][node] if row[feature] <= threshold else tree["right"][node]
    return met


def on_the_cuts(document, rows, count=500):
    """Rows just below, exactly on and just above a cut that they do meet, for cuts all over a `forest.json`.

    A cut met by a row is still met when the row is put on it: the cuts above it leave room for its threshold.
    """
    random = np.random.default_rng(0)
    trees = [tree for member in document["members"] for tree in member.get("trees", [])]
    below, on, above = [], [], []
    while trees and len(on) < count:
        row = rows[random.integers(len(rows))]
        met = cuts_met(trees[random.integers(len(trees))], row)
        if not met:
            continue
        feature, threshold = met[random.integers(len(met))]
        down, up = (np.nextafter(threshold, np.float32(end)) for end in (-np.inf, np.inf))
        for block, value in zip((below, on, above), (down, threshold, up)):
            block.append(np.where(np.arange(len(row)) == feature, value, row))
    return [np.array(block, dtype="f4").reshape(-1, len(FEATURES)) for block in (below, on, above)]
