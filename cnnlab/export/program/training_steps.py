"""Steps 4 and 6: the network with its first weights, the training."""

from __future__ import annotations

from inspect import getsource
from textwrap import indent

import torch

from cnnlab.data import mixing
from cnnlab.data.batches import prepared_at_once, split_joining_single
from cnnlab.evaluation.evaluate import evaluation_batch
from cnnlab.export.program.batch_step import batch_code
from cnnlab.export.program.setting import Setting
from cnnlab.export.program.words import borrowed, lines
from cnnlab.networks.layers import Layer
from cnnlab.networks.source import class_name
from cnnlab.training import balance, weight_average
from cnnlab.training.config import RunConfig


def instance_code(setting: Setting) -> str:
    """Write code that defines ``network``."""
    places = [place for place, there in (("DEVICE", setting.on_device),) if there]
    if setting.channels_last:
        places.append("memory_format=torch.channels_last")
    moved = f".to({', '.join(places)})" if places else ""
    return lines(
        "torch.manual_seed(SEED)",
        f"network = {class_name(setting.config.architecture.title)}(){moved}",
        'print(f"{sum(weights.numel() for weights in network.parameters()):,} parameters")',
    )


def training_text(setting: Setting) -> str:
    """Describe step 6 in Markdown."""
    config = setting.config
    told = (
        "A batch goes forward through the network, the loss goes backward, the optimiser takes a step. After each "
        "epoch the validation images tell how far it is; the test images judge once, at the end."
    )
    if config.class_balance == "sampling":
        told += " All classes are drawn equally often, so that images of rare ones come several times an epoch."
    if setting.mixes:
        told += (
            " Each image is mixed with another of its batch, and so are their labels: an answer counts as right by the "
            "share of its class."
        )
    if setting.is_parted:
        told += (
            f" Only {config.micro_batch} images go through the network at once, for want of memory: the gradients of a "
            "batch's parts add up, each by its share."
        )
    if config.gradient_clipping:
        told += f" A gradient longer than {config.gradient_clipping:g} is shortened to that."
    if config.weight_average:
        told += " What is validated and tested is an average of the weights over the last steps."
    if config.early_stopping:
        told += " It ends early where validation no longer gains, and goes back to its best weights."
    if setting.threads:
        told += (
            " Other programs used the processor, and the training changed its threads. The program repeats that, "
            "because the order of sums depends on it."
        )
    if setting.precision != torch.float32:
        told += (
            f" This machine has units for {setting.number}, so `autocast` calculates in it: leave that line out where "
            "a machine has none."
        )
    return told


def training_code(setting: Setting) -> str:
    """Write code that trains, defines ``history``, and measures the test accuracy."""
    functions = [_evaluate(setting)]
    if setting.joins_single:
        functions.append(getsource(split_joining_single).rstrip())
    if setting.config.class_balance == "sampling":
        functions.append(borrowed(balance, "balanced_sample"))
    if setting.augment:
        functions.append(_batches(setting))
    if setting.mixes:
        functions.append(borrowed(mixing, "mixed"))
    if setting.config.weight_average:
        functions.append(borrowed(weight_average, "WeightAverage"))
    return "\n\n\n".join([*functions, f"{_before(setting)}\n{_epochs(setting)}\n\n{_judge(setting.config)}"])


def _evaluate(setting: Setting) -> str:
    size = evaluation_batch(setting.spec.shape)
    return f'''@torch.inference_mode()
def evaluate(split: TensorDataset) -> tuple[float, Tensor]:
    """The mean loss, and for each image whether the answer is right."""
    network.eval()
    losses, hits = [], []
    for start in range(0, len(split), {size}):
        pixels, labels = split[start : start + {size}]
        logits = network(pixels)
        losses.append(F.cross_entropy(logits, labels, reduction="sum"))
        hits.append(logits.argmax(1) == labels)
    return torch.stack(losses).sum().item() / len(split), torch.cat(hits)'''


def _batches(setting: Setting) -> str:
    at_once = prepared_at_once(setting.config.batch_size, setting.spec.shape)
    pixels, labels = (setting.parted(items, "BATCH_SIZE") for items in ("pixels", "labels"))
    changed = f"{setting.augment}(pixels, labels, CLASSES, draws)"
    return lines(
        "def batches() -> Iterator[tuple[Tensor, Tensor]]:",
        '    """The training images in a new order, changed anew: many at once, for that is faster."""',
        f"    for chosen in {setting.parted(_order(setting), str(at_once))}:",
        "        pixels, labels = train[chosen]",
        f"        pixels = {f'standardise({changed})' if setting.standardises else changed}",
        f"        yield from zip({pixels}, {labels})",
    )


def _order(setting: Setting) -> str:
    if setting.config.class_balance == "sampling":
        return "balanced_sample(train.tensors[1], draws)"
    place = "" if setting.device == "cpu" else ", device=DEVICE"
    return f"torch.randperm(len(train), generator=draws{place})"


def _header(setting: Setting) -> str:
    """Write the head of the loop over an epoch's batches."""
    if setting.augment:
        return "for pixels, labels in batches():"
    return f"for chosen in {setting.parted(_order(setting), 'BATCH_SIZE')}:"


def _before(setting: Setting) -> str:
    config = setting.config
    place = "" if setting.device == "cpu" else "DEVICE"
    return lines(
        bool(config.early_stopping) and f"PATIENCE = {config.early_stopping}  # epochs",
        bool(config.early_stopping) and "best_loss, best_epoch, best_weights = inf, 0, {}",
        f"history = {{{_COLUMNS}}}",
        f"draws = torch.Generator({place}).manual_seed(SEED)",
        bool(setting.threads) and f"THREADS = {dict(setting.threads)}  # step: threads from then on, for equal sums",
        setting.counts_steps and "step = 0",
        bool(config.weight_average) and f"average = WeightAverage(network, decay={config.weight_average})",
        _drops_out(config.architecture.layers) and "torch.manual_seed(SEED)  # for dropout",
        setting.precision == torch.float16 and f'scaler = torch.amp.GradScaler("{setting.device}")',
    )


_COLUMNS = 'f"{split} {quantity}": [] for split in ("train", "validation") for quantity in ("loss", "accuracy")'


def _drops_out(layers: tuple[Layer, ...]) -> bool:
    return any(layer.drops_out or any(map(_drops_out, layer.chains.values())) for layer in layers)


def _epochs(setting: Setting) -> str:
    config = setting.config
    return lines(
        "for epoch in range(1, EPOCHS + 1):",
        "    network.train()",
        bool(config.weight_average) and "    average.swap()  # the network has the weights that train",
        "    total_loss, correct = 0.0, 0",
        f"    {_header(setting)}",
        not setting.augment and "        pixels, labels = train[chosen]",
        indent(batch_code(setting), "        "),
        bool(config.weight_average) and "    average.swap()  # the network has their average",
        '    history["train loss"].append(total_loss / len(train))',
        '    history["train accuracy"].append(correct / len(train))',
        "    validation_loss, hits = evaluate(validation)",
        '    history["validation loss"].append(validation_loss)',
        '    history["validation accuracy"].append(hits.sum().item() / len(hits))',
        '    print(f"epoch {epoch}: " + ", ".join(f"{name} {values[-1]:.4f}" for name, values in history.items()))',
        bool(config.early_stopping) and indent(_STOPPING, "    "),
    )


_STOPPING = """if validation_loss < best_loss:
    best_loss, best_epoch = validation_loss, epoch
    best_weights = {name: weights.clone() for name, weights in network.state_dict().items()}
if epoch - best_epoch >= PATIENCE:
    break"""


def _judge(config: RunConfig) -> str:
    return lines(
        bool(config.early_stopping) and "network.load_state_dict(best_weights)",
        "test_loss, hits = evaluate(test)",
        'print(f"test accuracy {hits.float().mean():.2%}")',
        "for label, name in enumerate(CLASSES):",
        '    print(f"  {name:12} {hits[test.tensors[1] == label].float().mean():.2%}")',
    )
