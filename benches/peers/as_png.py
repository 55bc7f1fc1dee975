#!/usr/bin/env python3
"""Writes a folder of images again as PNG of the network's size.

What   Decodes every image with Pillow, resizes it to 128 x 128 as Keras does, and writes a PNG.
Why    JPEG decoders differ by a level here and there. From the PNG files glassnet and Keras read
       the same numbers, so that `same_losses.py` compares the networks and nothing else.
How    python benches/peers/as_png.py FOLDER NEW_FOLDER
"""

import argparse
from pathlib import Path

import common
from PIL import Image


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help="folder with two class folders")
    parser.add_argument("target", type=Path, help="folder to make")
    args = parser.parse_args()
    for path in sorted(args.source.rglob("*")):
        if path.suffix.lower() in common.IMAGE_SUFFIXES:
            target = args.target / path.relative_to(args.source).with_suffix(".png")
            target.parent.mkdir(parents=True, exist_ok=True)
            with Image.open(path) as image:
                size = (common.IMAGE_SIZE, common.IMAGE_SIZE)
                image.convert("RGB").resize(size, Image.Resampling.NEAREST).save(target)


if __name__ == "__main__":
    main()
