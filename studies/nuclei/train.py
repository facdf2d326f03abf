"""Make the study "nuclei": its test set, its truth and the small network that is the device under test.

    pip download --no-deps stardist==0.9.2        (any platform's wheel: the two images are the same)
    pip install -r requirements.txt
    python train.py stardist-0.9.2-*.whl

Writes cases.csv, images/, model.onnx, expected_scores.csv and training.json beside this file. The upper part of one
fluorescence image trains, the lower half is the locked test set, and a guard strip lies between. Nothing is chosen on
the lower half: neither the networks, nor their training length, nor the operating threshold. SOURCE.md says what was
seen of it before, with version 1.0.0.

The device is the mean logit of four networks, each trained without one band of columns. The bands left out give the
cross-validated scores from which the operating threshold is taken.
"""

import csv
import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import onnxruntime
import tifffile
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

HERE = Path(__file__).resolve().parent
SEED = 20181
VERSION = "1.1.0"

# The material
SHA256 = {
    "stardist/data/images/img2d.tif": "f9ccc1571b92c861ff87e28463068b43f61bd47357ed0503f711e5cd1eb97750",
    "stardist/data/images/mask2d.tif": "59ad5e820b7982ca9d13e946fa6e7f64e2714899e00a2ae6c69aa79aad53d46f",
}
SIDE = 512
TILE = 32
TEST_TOP = 256  # rows 256 to 511 are the test half
GUARD = 32  # rows 224 to 255 are used for nothing
TRAIN_BOTTOM = TEST_TOP - GUARD
BLOCK = 2  # a "patient" is a block of 2 x 2 neighbouring tiles

# The truth
MIN_PIXELS = 5  # a nucleus counts as soon as so many of its pixels lie in the tile
MIN_NUCLEI = 2

# The network and its training
CHANNELS = (8, 16, 32)
INPUT_SCALE = 255.0  # the network is given value / 255 ...
INNER_SCALE = 255.0 / 64.0  # ... and stretches it to the range that nuclei have; folded into its first convolution
STEPS = 3000
BATCH = 64
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 1e-4
FOLDS = 4
GRID_STEP = 16  # spacing of the held-out tiles of the cross-validation
WANTED_SENSITIVITY = 0.90


def read_material(wheel):
    arrays = []
    with zipfile.ZipFile(wheel) as archive:
        for name, expected in SHA256.items():
            data = archive.read(name)
            found = hashlib.sha256(data).hexdigest()
            if found != expected:
                raise SystemExit(f"{name} in {wheel} has SHA-256 {found}, expected {expected}")
            arrays.append(tifffile.imread(io.BytesIO(data)))
    image, labels = arrays
    assert image.shape == labels.shape == (SIDE, SIDE) and image.max() <= 255
    return image.astype(np.uint8), labels


def nuclei_in(labels, y, x):
    counts = np.bincount(labels[y : y + TILE, x : x + TILE].ravel())
    return int((counts[1:] >= MIN_PIXELS).sum())


def is_crowded(labels, y, x):
    return int(nuclei_in(labels, y, x) >= MIN_NUCLEI)


def tile(image, y, x):
    return image[y : y + TILE, x : x + TILE]


def to_input(tiles):
    return np.asarray(tiles, dtype=np.float32)[:, None] / np.float32(INPUT_SCALE)


# ---------------------------------------------------------------------------------------------------------- network


def initial(key):
    parameters, fan = {}, 1
    for layer, width in enumerate(CHANNELS):
        key, sub = jax.random.split(key)
        parameters[f"w{layer}"] = jax.random.normal(sub, (width, fan, 3, 3)) * np.sqrt(2.0 / (fan * 9))
        parameters[f"b{layer}"] = jnp.zeros(width)
        fan = width
    key, sub = jax.random.split(key)
    parameters["wd"] = jax.random.normal(sub, (1, fan)) * np.sqrt(1.0 / fan)
    parameters["bd"] = jnp.zeros(1)
    return parameters


def pool(x):
    n, c, h, w = x.shape
    return x[:, :, : h // 2 * 2, : w // 2 * 2].reshape(n, c, h // 2, 2, w // 2, 2).max(axis=(3, 5))


def logits(parameters, x):
    x = x * INNER_SCALE
    for layer in range(len(CHANNELS)):
        x = jax.lax.conv_general_dilated(
            x,
            parameters[f"w{layer}"],
            (1, 1),
            "VALID" if layer == 0 else "SAME",  # no padding first: a padded zero would look like a black border
            dimension_numbers=("NCHW", "OIHW", "NCHW"),
        )
        x = jax.nn.relu(x + parameters[f"b{layer}"][None, :, None, None])
        if layer < len(CHANNELS) - 1:
            x = pool(x)
    return (x.mean(axis=(2, 3)) @ parameters["wd"].T + parameters["bd"])[:, 0]


def loss(parameters, x, y):
    z = logits(parameters, x)
    cross_entropy = jnp.mean(jnp.logaddexp(0.0, z) - y * z)
    return cross_entropy + WEIGHT_DECAY * sum(jnp.sum(p**2) for name, p in parameters.items() if name[0] == "w")


@jax.jit
def adam(parameters, first, second, step, x, y):
    gradient = jax.grad(loss)(parameters, x, y)
    rate = LEARNING_RATE * 0.5 * (1 + jnp.cos(jnp.pi * step / STEPS))
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)

    def move(p, m, v):
        return p - rate * (m / (1 - 0.9 ** (step + 1))) / (jnp.sqrt(v / (1 - 0.999 ** (step + 1))) + 1e-8)

    return jax.tree.map(move, parameters, first, second), first, second


def train(image, labels, corners, seed):
    """Learn from tiles at the corners given. Half of a batch is crowded, so the training prevalence is not learnt."""
    truth = np.array([is_crowded(labels, y, x) for y, x in corners])
    groups = [np.flatnonzero(truth == value) for value in (0, 1)]
    rng = np.random.default_rng(seed)
    parameters = initial(jax.random.PRNGKey(seed))
    first = jax.tree.map(jnp.zeros_like, parameters)
    second = jax.tree.map(jnp.zeros_like, parameters)
    y_batch = np.repeat([0.0, 1.0], BATCH // 2).astype(np.float32)
    for step in range(STEPS):
        picks = np.concatenate([rng.choice(group, BATCH // 2) for group in groups])
        tiles = []
        for pick in picks:
            t = tile(image, *corners[pick]).astype(np.float32)
            t = np.rot90(t, rng.integers(4))
            if rng.integers(2):
                t = t[:, ::-1]
            t = t * np.float32(rng.uniform(0.7, 1.4)) + rng.normal(0.0, 1.5, t.shape).astype(np.float32)
            tiles.append(t)
        parameters, first, second = adam(parameters, first, second, step, to_input(tiles), y_batch)
    return {name: np.asarray(p) for name, p in parameters.items()}


def probabilities(parameters, tiles):
    return ensemble([parameters], tiles)


def ensemble(members, tiles):
    z = np.mean([np.asarray(logits(member, to_input(tiles)), dtype=np.float64) for member in members], axis=0)
    return 1.0 / (1.0 + np.exp(-z))


# ------------------------------------------------------------------------------------------------- operating threshold


def auc(scores, truth):
    positive, negative = scores[truth == 1], scores[truth == 0]
    difference = positive[:, None] - negative[None, :]
    return float(((difference > 0) + 0.5 * (difference == 0)).mean())


def corners_in(columns, step=1):
    rows = range(0, TRAIN_BOTTOM - TILE + 1, step)
    return [(y, x) for y in rows for start, stop in columns for x in range(start, stop - TILE + 1, step)]


def cross_validate(image, labels):
    """One network a fold and its scores of the fold left out, a band of columns that no training tile touches."""
    width = SIDE // FOLDS
    members, scores, truth, folds = [], [], [], []
    for fold in range(FOLDS):
        left, right = fold * width, (fold + 1) * width
        parameters = train(image, labels, corners_in([(0, left), (right, SIDE)]), SEED + 1 + fold)
        held_out = corners_in([(left, right)], GRID_STEP)
        scores.append(probabilities(parameters, [tile(image, y, x) for y, x in held_out]))
        truth.append(np.array([is_crowded(labels, y, x) for y, x in held_out]))
        members.append(parameters)
        folds.append(
            {
                "tiles": len(held_out),
                "crowded": int(truth[-1].sum()),
                "auc": round(auc(scores[-1], truth[-1]), 4),
                "own_threshold": choose_threshold(scores[-1], truth[-1]),
            }
        )
        print(f"fold {fold + 1} of {FOLDS}: {folds[-1]}", flush=True)
    return members, np.concatenate(scores), np.concatenate(truth), folds


def choose_threshold(scores, truth):
    """The largest multiple of 0.01 at which the cross-validated sensitivity is at least what is wanted."""
    return max(k / 100 for k in range(1, 100) if rates(scores, truth, k / 100)[0] >= WANTED_SENSITIVITY)


def rates(scores, truth, threshold):
    flagged = scores >= threshold
    return float(flagged[truth == 1].mean()), float((~flagged)[truth == 0].mean())


# ------------------------------------------------------------------------------------------------------------- export


def export(members, path):
    """All members as one network: side by side as groups of each convolution, averaged by the dense layer."""
    weights, nodes, flow = [], [], "image"
    for layer in range(len(CHANNELS)):
        kernel = np.concatenate([member[f"w{layer}"] for member in members]).astype(np.float32)
        if layer == 0:
            kernel = (kernel * np.float32(INNER_SCALE)).astype(np.float32)
        weights += [
            numpy_helper.from_array(kernel, f"conv{layer}.weight"),
            numpy_helper.from_array(
                np.concatenate([member[f"b{layer}"] for member in members]).astype(np.float32), f"conv{layer}.bias"
            ),
        ]
        pads = [0, 0, 0, 0] if layer == 0 else [1, 1, 1, 1]
        group = 1 if layer == 0 else len(members)  # the members share the image, and nothing else
        inputs = [flow, f"conv{layer}.weight", f"conv{layer}.bias"]
        nodes.append(helper.make_node("Conv", inputs, [f"c{layer}"], kernel_shape=[3, 3], pads=pads, group=group))
        nodes.append(helper.make_node("Relu", [f"c{layer}"], [f"r{layer}"]))
        flow = f"r{layer}"
        if layer < len(CHANNELS) - 1:
            nodes.append(helper.make_node("MaxPool", [flow], [f"p{layer}"], kernel_shape=[2, 2], strides=[2, 2]))
            flow = f"p{layer}"
    dense = np.concatenate([member["wd"] for member in members], axis=1) / len(members)
    bias = sum(member["bd"] for member in members) / len(members)
    weights += [
        numpy_helper.from_array(dense.astype(np.float32), "dense.weight"),
        numpy_helper.from_array(bias.astype(np.float32), "dense.bias"),
    ]
    nodes += [
        helper.make_node("GlobalAveragePool", [flow], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["features"], axis=1),
        helper.make_node("Gemm", ["features", "dense.weight", "dense.bias"], ["logit"], transB=1),
        helper.make_node("Sigmoid", ["logit"], ["probability"]),
    ]
    graph = helper.make_graph(
        nodes,
        "crowded_nuclei",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, TILE, TILE])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N", 1])],
        weights,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="nuclei-study", producer_version=VERSION
    )
    model.ir_version = 8
    properties = {
        "name": "Crowded nuclei detector",
        "version": VERSION,
        "input": f"8-bit grey value / {INPUT_SCALE:.0f}, {TILE} x {TILE} pixels",
        "output": f"probability that the tile holds {MIN_NUCLEI} or more nuclei",
    }
    helper.set_model_props(model, properties)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


# ----------------------------------------------------------------------------------------------------------- test set


def test_cases(image, labels):
    training = [tile(image, y, x) for y, x in corners_in([(0, SIDE)], TILE)]
    middle_brightness = float(np.median([np.percentile(t, 95) for t in training]))
    cases = []
    for row, y in enumerate(range(TEST_TOP, SIDE, TILE)):
        for column, x in enumerate(range(0, SIDE, TILE)):
            block = (row // BLOCK) * (SIDE // TILE // BLOCK) + column // BLOCK + 1
            pixels = tile(image, y, x)
            at_border = y + TILE == SIDE or x in (0, SIDE - TILE)
            name = f"T{row + 1}{chr(ord('A') + column)}"
            cases.append(
                {
                    "case": name,
                    "patient": f"B{block:02d}",
                    "truth": is_crowded(labels, y, x),
                    "brightness": "bright" if np.percentile(pixels, 95) >= middle_brightness else "dim",
                    "side": "left" if x < SIDE // 2 else "right",
                    "field": "border" if at_border else "inner",
                    "image": f"images/{name}.png",
                    "pixels": pixels,
                }
            )
    return cases, middle_brightness


def score_files(model_path, cases):
    """Scores by ONNX Runtime from the PNG files as written, one case a call, as a device would be used."""
    session = onnxruntime.InferenceSession(model_path, providers=["CPUExecutionProvider"])
    scores = []
    for case in cases:
        pixels = np.asarray(Image.open(HERE / case["image"]))
        scores.append(session.run(["probability"], {"image": to_input([pixels])})[0][0, 0])
    return np.array(scores)


def write_csv(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def check_no_nucleus_in_both_parts(labels):
    both = np.intersect1d(np.unique(labels[:TRAIN_BOTTOM]), np.unique(labels[TEST_TOP:]))
    assert set(both) <= {0}, f"nuclei {both} lie in both parts"


def main():
    image, labels = read_material(sys.argv[1])
    check_no_nucleus_in_both_parts(labels)

    members, held_out_scores, held_out_truth, folds = cross_validate(image, labels)
    threshold = choose_threshold(held_out_scores, held_out_truth)
    sensitivity, specificity = rates(held_out_scores, held_out_truth, threshold)
    export(members, HERE / "model.onnx")

    cases, middle_brightness = test_cases(image, labels)
    (HERE / "images").mkdir(exist_ok=True)
    for case in cases:
        Image.fromarray(case["pixels"]).save(HERE / case["image"], optimize=True)
    columns = ["case", "patient", "truth", "brightness", "side", "field", "image"]
    write_csv(HERE / "cases.csv", columns, [[case[c] for c in columns] for case in cases])

    scores = score_files(HERE / "model.onnx", cases)
    own = ensemble(members, [case["pixels"] for case in cases])
    assert np.abs(scores - own).max() < 1e-5, "the exported network does not compute what was trained"
    rows = [[case["case"], f"{score:.9f}"] for case, score in zip(cases, scores)]
    write_csv(HERE / "expected_scores.csv", ["case", "score"], rows)

    truth = np.array([case["truth"] for case in cases])
    training = {
        "seed": SEED,
        "steps": STEPS,
        "cross_validation": {
            "folds": folds,
            "tiles": len(held_out_truth),
            "crowded": int(held_out_truth.sum()),
            "auc": round(auc(held_out_scores, held_out_truth), 4),
            "sensitivity": round(sensitivity, 4),
            "specificity": round(specificity, 4),
        },
        "threshold": threshold,
        "middle_brightness": middle_brightness,
    }
    (HERE / "training.json").write_text(json.dumps(training, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(training, indent=2))
    # Looked at after everything above was fixed and written.
    sensitivity, specificity = rates(scores, truth, threshold)
    blocks = len({case["patient"] for case in cases})
    print(f"test half: {len(truth)} tiles of {blocks} blocks, {truth.sum()} crowded, AUC {auc(scores, truth):.4f}")
    print(f"at {threshold}: sensitivity {sensitivity:.4f}, specificity {specificity:.4f}")


if __name__ == "__main__":
    main()
