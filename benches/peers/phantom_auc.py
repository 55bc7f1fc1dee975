"""How well the simplest looks at an image tell its class: areas under the ROC curve for a two-class image folder.

A classifier worth watching needs a set whose classes differ in what they show. So these should be near 0.5, which is
guessing:

- the image's area in pixels,
- its mean brightness and its contrast (standard deviation of the grey levels),
- a logistic regression on 16x16 thumbnails (box-averaged, standardised), as out-of-fold probabilities of a stratified
  5-fold cross-validation. The fitted one is given too: with 256 numbers for 136 images it fits anything.

The area under the curve of a score is also that of its opposite, turned round: where the direction means nothing,
max(AUC, 1 - AUC) stands beside it. By chance alone, at 33 and 103 images, an AUC is off 0.5 by 0.058 (one standard error).

Needs numpy, pillow and scikit-learn.
"""

import argparse
from pathlib import Path

import common
import numpy as np
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

THUMBNAIL = 16  # pixels a side
FOLDS = 5


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, default=common.PHANTOM)
    parser.add_argument("--shuffles", type=int, default=10, help="cross-validations, each with folds of its own")
    return parser.parse_args()


def load(folder):
    """Return (grey images, labels), classes by name."""
    images, labels = [], []
    for label, class_folder in enumerate(sorted(path for path in folder.iterdir() if path.is_dir())):
        for file in sorted(class_folder.glob("*.png")):
            images.append(Image.open(file).convert("L"))
            labels.append(label)
    return images, np.array(labels)


def main():
    """Print one line per figure."""
    options = arguments()
    images, labels = load(options.data)
    pixels = [np.asarray(image, dtype=np.float64) for image in images]
    print(f"{options.data.name}: {np.bincount(labels)} images per class")
    scores = {
        "area in pixels": [image.size for image in pixels],
        "mean brightness": [image.mean() for image in pixels],
        "contrast": [image.std() for image in pixels],
    }
    for name, score in scores.items():
        auc = roc_auc_score(labels, score)
        print(f"{name:<32} AUC {auc:.3f}  |AUC| {max(auc, 1 - auc):.3f}")

    size = (THUMBNAIL, THUMBNAIL)
    thumbnails = np.array([np.asarray(image.resize(size, Image.BOX), dtype=np.float64).ravel() for image in images])
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000))
    held_out = []
    for shuffle in range(options.shuffles):
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=shuffle)
        probabilities = cross_val_predict(model, thumbnails, labels, cv=folds, method="predict_proba")[:, 1]
        held_out.append(roc_auc_score(labels, probabilities))
    fitted = roc_auc_score(labels, model.fit(thumbnails, labels).predict_proba(thumbnails)[:, 1])
    name = f"{THUMBNAIL}x{THUMBNAIL} thumbnails, held out"
    spread = f"from {min(held_out):.3f} to {max(held_out):.3f} over {options.shuffles} cross-validations"
    print(f"{name:<32} AUC {np.mean(held_out):.3f}  ({spread})")
    print(f"{'the same, fitted':<32} AUC {fitted:.3f}")


if __name__ == "__main__":
    main()
