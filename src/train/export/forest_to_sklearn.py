"""Turn vintner's forest.json into a pickled scikit-learn RandomForestRegressor.

Usage: python forest_to_sklearn.py forest.json model.pkl

Run it with the scikit-learn that will load the pickle: the layout of a tree changes between releases.
Any model made of trees becomes a forest: its mean over T trees equals the weighted sum when each leaf is
T * scale * value + base.
"""
import json
import pickle
import sys

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor
from sklearn.tree._tree import NODE_DTYPE, Tree


def tree(columns, factor, base, features):
    leaf = np.array(columns["feature"]) < 0
    nodes = np.zeros(len(leaf), dtype=NODE_DTYPE)
    nodes["left_child"] = columns["left"]
    nodes["right_child"] = columns["right"]
    nodes["feature"] = np.where(leaf, -2, columns["feature"])
    nodes["threshold"] = np.where(leaf, -2.0, np.array(columns["threshold"], dtype=np.float32))
    nodes["impurity"] = columns["impurity"]
    nodes["n_node_samples"] = columns["n"]
    nodes["weighted_n_node_samples"] = columns["w"]
    values = np.array(columns["value"], dtype=np.float32).astype(np.float64) * factor + base
    inner = Tree(features, np.array([1], dtype=np.intp), 1)
    inner.__setstate__({"max_depth": columns["depth"], "node_count": len(nodes), "nodes": nodes,
                        "values": values.reshape(-1, 1, 1)})
    estimator = DecisionTreeRegressor()
    estimator.tree_, estimator.n_features_in_, estimator.n_outputs_ = inner, features, 1
    estimator.max_features_ = features
    return estimator


def forest(document):
    names = document["features"]
    members = document["members"]
    if any(member["kind"] != "trees" for member in members):
        raise SystemExit("this model is not made of trees; export it as ONNX")
    count = sum(len(member["trees"]) for member in members)
    base = sum(member["weight"] * member["base"] for member in members)
    model = RandomForestRegressor(n_estimators=count)
    model.estimators_ = []
    for member in members:
        factor = member["weight"] * member["scale"] * count
        factor = 1.0 if abs(factor - 1.0) < 1e-9 else factor
        model.estimators_ += [tree(columns, factor, base, len(names)) for columns in member["trees"]]
    model.n_features_in_, model.n_outputs_ = len(names), 1
    model.feature_names_in_ = np.array(names, dtype=object)
    return model


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as source:
        converted = forest(json.load(source))
    with open(sys.argv[2], "wb") as target:
        pickle.dump(converted, target)
