#!/usr/bin/env python3
"""Do exported models answer the same elsewhere?

A model is trained for two epochs for each preset of `glassnet init` (or one is given with --model), exported as ONNX in
both variants, and run by onnxruntime on images; the answers are those of `glassnet predict`. A
table has the largest difference of a probability. Exits with 1 where one is above 1e-6.

    exported.py                          every preset, on the phantom set
    exported.py --model RUN IMAGE...     one model, on these images (8-bit, of any size)
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from common import argument_parser

PRESETS = ("documented", "mnist", "lenet", "vgg-small", "mobilenet-small", "all-conv")
WANTED = 1e-6


def glassnet(program, *arguments):
    """What a command prints."""
    done = subprocess.run([program, *map(str, arguments)], check=True, capture_output=True, text=True)
    return done.stdout


def pixels(paths, card):
    """The images as the model's card says they are read, [N, H, W, C] in bytes."""
    height, width, channels = card["spec"]["input"]
    if card["resize"] != "nearest" or card.get("reading"):
        sys.exit(f"images of this model are read in another way than the default: {card['resize']}, {card.get('reading')}")
    read = [Image.open(path).convert("L" if channels == 1 else "RGB").resize((width, height), Image.NEAREST) for path in paths]
    return np.stack([np.asarray(image).reshape(height, width, channels) for image in read])


def answers(file, paths):
    """What onnxruntime answers, with the variant that the file is of."""
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    card = json.loads(session.get_modelmeta().custom_metadata_map["glassnet"])
    images = pixels(paths, card)
    if session.get_inputs()[0].type == "tensor(float)":
        images = (images.astype(np.float32) * np.float32(1 / 255)).transpose(0, 3, 1, 2)
    return session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(images)})[0], card


def differences(program, model, paths, folder):
    """The largest difference of a probability, by variant."""
    found = {}
    for variant in ("f32", "uint8"):
        file = Path(folder) / f"{variant}.onnx"
        glassnet(program, "export", model, "--format", "onnx", "--input", variant, "--out", file, *paths[:4])
        theirs, card = answers(file, paths)
        said = json.loads(glassnet(program, "predict", model, *paths, "--json", "--top", len(card["classes"])))
        found[variant] = np.abs(theirs - probabilities(said, card, theirs.shape[1])).max()
        file.unlink()
    return found


def probabilities(said, card, units):
    """glassnet's answers as a graph gives them: [N, 1] of two classes, else [N, K]."""
    rows = []
    for image in said["predictions"]:
        if units == 1:
            rows.append([image["probability"]])
        else:
            by_class = {entry["class"]: entry["probability"] for entry in image["top"]}
            rows.append([by_class[name] for name in card["classes"]])
    return np.array(rows, dtype=np.float64)


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--model", type=Path, help="a run folder or a weights file, in place of the presets")
    parser.add_argument("images", nargs="*", type=Path, help="images to answer for; without, 16 of --data")
    args = parser.parse_args()
    every = sorted(args.data.rglob("*.png"))
    paths = args.images or every[:: max(1, len(every) // 16)]
    worst = 0.0
    print("| model | float32, channels first | uint8, channels last |")
    print("|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        models = {args.model.name: args.model} if args.model else {}
        for preset in () if args.model else PRESETS:
            spec, run = Path(folder) / f"{preset}.toml", Path(folder) / preset
            glassnet(args.glassnet, "init", "--preset", preset, "--classes", 2, "--out", spec)
            glassnet(args.glassnet, "train", args.data, "--model", spec, "--epochs", 2, "--out", run)
            models[preset] = run
        for name, model in models.items():
            found = differences(args.glassnet, model, paths, folder)
            worst = max(worst, *found.values())
            print(f"| {name} | {found['f32']:.1e} | {found['uint8']:.1e} |", flush=True)
    sys.exit(0 if worst <= WANTED else 1)


if __name__ == "__main__":
    main()
