"""Make the study "breast-fna": its test set, its truth and the logistic regression that is the device under test.

    pip install -r requirements.txt
    python train.py

Writes cases.csv, model.onnx, expected_scores.csv and training.json beside this file, from the data set that
scikit-learn ships. 284 of the 569 masses train, the other 285 are the locked test set; the weights, the strength of the
penalty and the operating threshold come from the first half alone.
"""

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import sklearn.datasets
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).resolve().parent
SEED = 1995
VERSION = "1.0.0"
SHA256 = "fed3eb72d0575ef6192293f5093c6e801b1476b577d0386bf4455504522172ed"

# The means over the nuclei of a mass; of the size measures (radius, perimeter, area) only the radius and the area.
FEATURES = [
    "mean radius",
    "mean texture",
    "mean area",
    "mean smoothness",
    "mean compactness",
    "mean concavity",
    "mean concave points",
    "mean symmetry",
    "mean fractal dimension",
]
TRAIN = 284
FOLDS = 10
PENALTIES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]
WANTED_SENSITIVITY = 0.95


def read_material():
    folder = Path(sklearn.datasets.__file__).parent / "data"
    found = hashlib.sha256((folder / "breast_cancer.csv").read_bytes()).hexdigest()
    if found != SHA256:
        raise SystemExit(f"breast_cancer.csv has SHA-256 {found}, expected {SHA256}")
    data = sklearn.datasets.load_breast_cancer()
    columns = [list(data.feature_names).index(name) for name in FEATURES]
    # scikit-learn codes malignant as 0; a study codes the condition that is looked for as 1.
    assert list(data.target_names) == ["malignant", "benign"]
    return data.data[:, columns], 1 - data.target


def rates(scores, truth, threshold):
    flagged = scores >= threshold
    return float(flagged[truth == 1].mean()), float((~flagged)[truth == 0].mean())


def choose_threshold(scores, truth):
    """The largest multiple of 0.01 at which the cross-validated sensitivity is at least what is wanted."""
    return max(k / 100 for k in range(1, 100) if rates(scores, truth, k / 100)[0] >= WANTED_SENSITIVITY)


def fit(features, truth):
    """Logistic regression on standardised features, its penalty chosen by cross-validation, and its held-out scores."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=10_000, tol=1e-10)),
        {"logisticregression__C": PENALTIES},
        scoring="neg_log_loss",
        cv=folds,
    )
    search.fit(features, truth)
    held_out = cross_val_predict(search.best_estimator_, features, truth, cv=folds, method="predict_proba")[:, 1]
    return search.best_estimator_, held_out, search.best_params_["logisticregression__C"]


def export(model, path):
    """Raw features in: the standardisation is two nodes of the graph, so that a protocol has nothing to declare."""
    scaler, regression = model[0], model[1]
    weights = [
        numpy_helper.from_array(scaler.mean_.astype(np.float32)[None, :], "mean"),
        numpy_helper.from_array(scaler.scale_.astype(np.float32)[None, :], "standard_deviation"),
        numpy_helper.from_array(regression.coef_.astype(np.float32), "coefficients"),
        numpy_helper.from_array(regression.intercept_.astype(np.float32), "intercept"),
    ]
    nodes = [
        helper.make_node("Sub", ["features", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "standard_deviation"], ["standardised"]),
        helper.make_node("Gemm", ["standardised", "coefficients", "intercept"], ["logit"], transB=1),
        helper.make_node("Sigmoid", ["logit"], ["probability"]),
    ]
    graph = helper.make_graph(
        nodes,
        "malignancy",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", len(FEATURES)])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N", 1])],
        weights,
    )
    exported = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="breast-fna-study", producer_version=VERSION
    )
    exported.ir_version = 8
    properties = {
        "name": "Breast mass malignancy score",
        "version": VERSION,
        "input": ", ".join(column(name) for name in FEATURES),
        "output": "probability that the mass is malignant",
    }
    helper.set_model_props(exported, properties)
    onnx.checker.check_model(exported, full_check=True)
    path.write_bytes(exported.SerializeToString())


def column(name):
    return name.replace(" ", "_")


def write_csv(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main():
    features, truth = read_material()
    rows = np.arange(len(truth))
    train_rows, test_rows = train_test_split(rows, train_size=TRAIN, random_state=SEED, stratify=truth)
    test_rows = np.sort(test_rows)
    train_features, train_truth = features[train_rows], truth[train_rows]

    model, held_out, penalty = fit(train_features, train_truth)
    threshold = choose_threshold(held_out, train_truth)
    sensitivity, specificity = rates(held_out, train_truth, threshold)
    export(model, HERE / "model.onnx")

    # Terciles of the training half: small, medium and large nuclei.
    area = features[:, FEATURES.index("mean area")]
    cuts = [float(np.round(q, 1)) for q in np.quantile(area[train_rows], [1 / 3, 2 / 3])]
    bands = np.array(["small", "medium", "large"])[np.searchsorted(cuts, area, side="right")]
    header = ["case", "patient", "truth", "size"] + [column(name) for name in FEATURES]
    table = [
        [f"M{row + 1:03d}", f"M{row + 1:03d}", int(truth[row]), bands[row]] + [repr(float(v)) for v in features[row]]
        for row in test_rows
    ]
    write_csv(HERE / "cases.csv", header, table)

    session = onnxruntime.InferenceSession(HERE / "model.onnx", providers=["CPUExecutionProvider"])
    scores = np.array(
        [
            session.run(["probability"], {"features": np.array([line[4:]], dtype=np.float64).astype(np.float32)})[0][0, 0]
            for line in table
        ]
    )
    own = model.predict_proba(features[test_rows])[:, 1]
    assert np.abs(scores - own).max() < 1e-5, "the exported model does not compute what was fitted"
    score_rows = [[line[0], f"{score:.9f}"] for line, score in zip(table, scores)]
    write_csv(HERE / "expected_scores.csv", ["case", "score"], score_rows)

    training = {
        "seed": SEED,
        "masses": len(train_rows),
        "malignant": int(train_truth.sum()),
        "inverse_penalty": penalty,
        "cross_validation": {
            "folds": FOLDS,
            "auc": round(float(roc_auc_score(train_truth, held_out)), 4),
            "sensitivity": round(sensitivity, 4),
            "specificity": round(specificity, 4),
        },
        "threshold": threshold,
        "size_cuts": cuts,
    }
    (HERE / "training.json").write_text(json.dumps(training, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(training, indent=2))
    # Looked at after everything above was fixed and written.
    test_truth = truth[test_rows]
    sensitivity, specificity = rates(scores, test_truth, threshold)
    print(f"test half: {len(test_truth)} masses, {test_truth.sum()} malignant, AUC {roc_auc_score(test_truth, scores):.4f}")
    print(f"at {threshold}: sensitivity {sensitivity:.4f}, specificity {specificity:.4f}")


if __name__ == "__main__":
    main()
