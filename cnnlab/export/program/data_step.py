"""Step 2: files → splits of pixels and labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from inspect import getsource
from pprint import pformat

from cnnlab.data import augmentation
from cnnlab.data.readers import SAMPLE, SAMPLE_TEST_SEED
from cnnlab.data.spec import DatasetSpec
from cnnlab.data.splits import stratified
from cnnlab.data.table import DIGITS
from cnnlab.export.program.setting import Setting
from cnnlab.export.program.words import borrowed, lines
from cnnlab.training.config import RunConfig


@dataclass(frozen=True)
class Download:
    """The source of a data set's four gzipped IDX files, and their MD5."""

    mirror: str
    checksums: dict[str, str]


def _download(mirror: str, *checksums: str) -> Download:
    names = (f"{split}-{what}-ubyte.gz" for split in ("train", "t10k") for what in ("images-idx3", "labels-idx1"))
    return Download(mirror, dict(zip(names, checksums, strict=True)))


# As torchvision has them, which is no library that the program needs.
_DOWNLOADS = {
    "mnist": _download(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    "fashion-mnist": _download(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
    "kmnist": _download(
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        "bdb82020997e1d708af4cf47b453dcf7",
        "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7",
        "7320c461ea6c1c855c0b718fb2a4b134",
    ),
}
PROGRAMMED = ("mnist-sample", *_DOWNLOADS)  # the data sets that a program reads

_DOWNLOAD = '''
def download(name: str) -> None:
    """Fetch a file into FOLDER, if it arrives whole."""
    with urlopen(MIRROR + name, timeout=60) as answer:
        content = answer.read()
    if hashlib.md5(content).hexdigest() != CHECKSUMS[name]:
        raise ValueError(f"{name} arrived damaged: run this once more")
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / name).write_bytes(content)
'''

_READ = '''
def read(name: str) -> Tensor:
    """The bytes of an IDX file, which may be gzipped, in the shape that its header tells."""
    file, packed = FOLDER / name, FOLDER / f"{name}.gz"
    if not file.exists() and not packed.exists():
        download(packed.name)
    content = file.read_bytes() if file.exists() else gzip.decompress(packed.read_bytes())
    # Four bytes, the last of them the number of axes; then four for each length; then the pixels or labels.
    axes = content[3]
    shape = np.frombuffer(content, ">i4", axes, offset=4).tolist()
    return torch.tensor(np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape))
'''

_TOLD = """for name, split in {"training": train, "validation": validation, "test": test}.items():
    print(f"{len(split):,} {name} images")"""


def downloads() -> dict[str, Download]:
    """List the data sets that a program downloads, by name."""
    return _DOWNLOADS


def data_text(setting: Setting) -> str:
    """Describe the step in Markdown."""
    config, spec = setting.config, setting.spec
    pixels = {"unit": "0…1", "symmetric": "−1…1", "standard": "standardised, to mean 0 and standard deviation 1"}
    told = (
        f"{spec.title} has {spec.sizes[0]:,} images to train on and {spec.sizes[1]:,} to test with. "
        f"{_percent(config.validation_fraction)} of the first are held out for validation, as much of each class; "
        f"pixels become {pixels[config.normalise]}."
    )
    if config.train_fraction < 1:
        told += f" {_percent(config.train_fraction)} of what is left are trained on."
    if config.excluded:
        told += f" {len(config.left_out)} of the first are left out."
    if setting.augment:
        told += " While it trains, the network sees each image slightly changed, differently in every epoch."
    return told


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.3g}%"


def data_code(setting: Setting) -> str:
    """Write code that defines CLASSES, train, validation and test, and the functions they need."""
    functions = [getsource(stratified).rstrip()]
    if setting.standardises:
        functions.append(_standardise(setting))
    if setting.augment:
        functions.append(borrowed(augmentation, setting.augment))
    is_fetched = setting.spec.name in _DOWNLOADS
    begin = _source(setting.spec) if is_fetched else f"CLASSES = {_classes(setting.spec)}"
    readers = [_DOWNLOAD.strip(), _READ.strip()] if is_fetched else []
    reading = _read_files(setting) if is_fetched else _read_sample(setting)
    return "\n\n\n".join([begin, *readers, *functions, f"{reading}\n\n{_split(setting)}\n\n{_TOLD}"])


def _source(spec: DatasetSpec) -> str:
    fetched = _DOWNLOADS[spec.name]
    checksums = "\n".join(f'    "{name}": "{checksum}",' for name, checksum in fetched.checksums.items())
    return lines(
        f'FOLDER = Path("data/{spec.files[0].rpartition("/")[0]}")',
        f'MIRROR = "{fetched.mirror}"',
        f"CHECKSUMS = {{  # MD5\n{checksums}\n}}",
        f"CLASSES = {_classes(spec)}",
    )


def _classes(spec: DatasetSpec) -> str:
    if spec.classes == DIGITS:
        return 'tuple("0123456789")'
    return pformat(spec.classes, width=110, compact=True).replace("'", '"')


def _standardise(setting: Setting) -> str:
    """Write the arithmetic of ``cnnlab.data.batches.Standardise``: (x − mean) / std may differ in the last bit."""
    if setting.config.normalise == "symmetric":
        return 'def standardise(pixels: Tensor) -> Tensor:\n    """0…1 → −1…1."""\n    return pixels * 2 - 1'
    place = "" if setting.device == "cpu" else ", device=DEVICE"
    mean, std = (
        f"torch.tensor({list(values)}{place}).view(-1, 1, 1)" for values in (setting.spec.mean, setting.spec.std)
    )
    return lines(
        f"MEAN = {mean}  # of all training pixels in 0…1, by channel",
        f"SCALE = 1 / {std}  # one by their standard deviation",
        "\n",
        "def standardise(pixels: Tensor) -> Tensor:",
        '    """Mean 0 and standard deviation 1."""',
        "    return pixels * SCALE - MEAN * SCALE",
    )


def _read_files(setting: Setting) -> str:
    on = setting.on_device
    size = setting.spec.shape[1]
    count = setting.spec.sizes[0]
    return lines(
        f'pixels = read("train-images-idx3-ubyte").unsqueeze(1){on}.float() / 255  # ({count}, 1, {size}, {size})',
        f'labels = read("train-labels-idx1-ubyte").long()  # ({count},)',
        f'test_pixels = read("t10k-images-idx3-ubyte").unsqueeze(1){on}.float() / 255',
        'test_labels = read("t10k-labels-idx1-ubyte").long()',
    )


def _read_sample(setting: Setting) -> str:
    return lines(
        f'with np.load("{SAMPLE.name}") as file:',
        f'    pixels = torch.tensor(file["images"]).unsqueeze(1){setting.on_device}.float() / 255  # (5000, 1, 28, 28)',
        '    labels = torch.tensor(file["labels"]).long()  # (5000,)',
        "",
        f"for_test = stratified(labels, 0.1, seed={SAMPLE_TEST_SEED})  # always the same tenth",
        "test_pixels, test_labels = pixels[for_test], labels[for_test]",
        "pixels, labels = pixels[~for_test], labels[~for_test]",
    )


def _split(setting: Setting) -> str:
    config = setting.config
    dataset = partial(_dataset, setting)
    plain = bool(setting.augment)  # standardised once they are augmented
    return lines(
        f"held_out = stratified(labels, {config.validation_fraction}, {_split_seed(config)})",
        f"validation = {dataset('pixels[held_out]', 'labels[held_out]')}",
        *(chosen := _kept(config)),
        f"train = {dataset(*_masked('kept' if chosen else '~held_out'), plain)}",
        f"test = {dataset('test_pixels', 'test_labels')}",
    )


def _masked(mask: str) -> tuple[str, str]:
    return f"pixels[{mask}]", f"labels[{mask}]"


def _kept(config: RunConfig) -> list[str]:
    """Write lines that define ``kept``, a mask of the images to train on; none where these are all not held out."""
    share = f"stratified(labels, {config.train_fraction}, {_split_seed(config)})"
    left_out = f"torch.isin(numbers, torch.tensor({list(config.left_out)}))"
    if config.train_fraction == 1:
        return ["numbers = torch.arange(len(labels))", f"kept = ~held_out & ~{left_out}"] if config.excluded else []
    rest = "pixels, labels = pixels[~held_out], labels[~held_out]"
    if not config.excluded:
        return [rest, f"kept = {share}"]
    return ["numbers = torch.arange(len(labels))[~held_out]", rest, f"kept = {share} & ~{left_out}"]


def _split_seed(config: RunConfig) -> str:
    return "SEED" if config.split_seed is None else str(config.split_seed)


def _dataset(setting: Setting, pixels: str, labels: str, plain: bool = False) -> str:
    if setting.standardises and not plain:
        pixels = f"standardise({pixels})"
    return f"TensorDataset({pixels}, {labels}{setting.on_device})"
