"""Steps 4 to 6: the network with its first weights, what it is trained by, the training."""

from __future__ import annotations

from inspect import getsource
from textwrap import indent

import torch

from cnnlab.data.batches import prepared_at_once, split_joining_single
from cnnlab.evaluation.evaluate import evaluation_batch
from cnnlab.export.program.setting import Setting
from cnnlab.export.program.words import lines
from cnnlab.networks.layers import Layer
from cnnlab.networks.source import class_name
from cnnlab.training.config import RunConfig

_OPTIMISERS = {
    "sgd": "Stochastic gradient descent moves every weight against its gradient",
    "adam": "Adam moves every weight against its mean gradient, in steps of much the same size",
    "adamw": "AdamW moves every weight against its mean gradient, and draws it a little towards zero",
    "rmsprop": "RMSprop moves every weight against its gradient, in steps of much the same size",
}
_SCHEDULES = {
    "constant": "",
    "step": " The learning rate drops from time to time.",
    "cosine": " The learning rate falls to zero along a cosine.",
    "one-cycle": " The learning rate rises to that, then falls to nearly zero.",
}
_WITH_BETA1 = ("adam", "adamw")  # which one-cycle moves against the rate


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


def loss_text(config: RunConfig) -> str:
    """Describe step 5 in Markdown."""
    return (
        "Cross-entropy is low where the right class has the highest logit by far. "
        f"{_OPTIMISERS[config.optimizer]}; its learning rate is {config.learning_rate:g}.{_SCHEDULES[config.schedule]}"
    )


def loss_code(setting: Setting) -> str:
    """Write code that defines EPOCHS, BATCH_SIZE, the loss, the optimiser, and a scheduler where the rate changes."""
    config = setting.config
    smoothing = f"label_smoothing={config.label_smoothing}" if config.label_smoothing else ""
    schedule = _schedule(config)
    return lines(
        f"EPOCHS = {config.epochs}",
        f"BATCH_SIZE = {config.batch_size}",
        "",
        f"loss_function = nn.CrossEntropyLoss({smoothing})",
        f"optimizer = {_optimiser(setting)}",
        bool(schedule) and _steps_per_epoch(setting),
        bool(schedule) and f"scheduler = torch.optim.lr_scheduler.{schedule}",
        "print(optimizer)",
    )


def _steps_per_epoch(setting: Setting) -> str:
    if setting.joins_single:
        return "steps_per_epoch = ceil((len(train) - 1) / BATCH_SIZE)  # a single last image joins the batch before it"
    return "steps_per_epoch = ceil(len(train) / BATCH_SIZE)"


def _optimiser(setting: Setting) -> str:
    config = setting.config
    fused = "fused=True" if setting.fused else ""
    decay = f"weight_decay={config.weight_decay}" if config.weight_decay else ""
    momentum = f"momentum={config.momentum}" if config.momentum else ""
    name, arguments = {
        "sgd": ("SGD", [momentum, decay, "nesterov=True" if config.nesterov else "", fused]),
        "adam": ("Adam", [decay, fused]),
        "adamw": ("AdamW", [f"weight_decay={config.weight_decay}", fused]),  # its own default is no zero
        "rmsprop": ("RMSprop", [decay, momentum]),  # torch has no fused one
    }[config.optimizer]
    given = ["network.parameters()", f"lr={config.learning_rate}", *(argument for argument in arguments if argument)]
    return f"torch.optim.{name}({', '.join(given)})"


def _schedule(config: RunConfig) -> str:
    total = "total_steps=EPOCHS * steps_per_epoch + 1"  # it is asked once more after the last step
    one_cycle = f"optimizer, {config.learning_rate}, {total}"
    if config.optimizer not in _WITH_BETA1:
        one_cycle = f"\n    {one_cycle}, cycle_momentum=False\n"
    return {
        "constant": "",
        "step": f"StepLR(optimizer, {config.step_epochs} * steps_per_epoch, gamma={config.step_factor})",
        "cosine": "CosineAnnealingLR(optimizer, EPOCHS * steps_per_epoch)",
        "one-cycle": f"OneCycleLR({one_cycle})",
    }[config.schedule]


def training_text(setting: Setting) -> str:
    """Describe step 6 in Markdown."""
    told = (
        "A batch goes forward through the network, the loss goes backward, the optimiser takes a step. After each "
        "epoch the validation images tell how far it is; the test images judge once, at the end."
    )
    if setting.config.early_stopping:
        told += " It ends early where validation no longer gains, and goes back to its best weights."
    if setting.precision != torch.float32:
        told += (
            f" This machine has units for {_type(setting)}, so `autocast` calculates in it: leave that line out where "
            "a machine has none."
        )
    return told


def training_code(setting: Setting) -> str:
    """Write code that trains, defines ``history``, and measures the test accuracy."""
    functions = [_evaluate(setting)]
    if setting.joins_single:
        functions.append(getsource(split_joining_single).rstrip())
    if setting.augment:
        functions.append(_batches(setting))
    return "\n\n\n".join([*functions, f"{_before(setting)}\n{_epochs(setting)}\n\n{_judge(setting.config)}"])


def _parted(setting: Setting, items: str, size: str) -> str:
    return f"split_joining_single({items}, {size})" if setting.joins_single else f"{items}.split({size})"


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
    pixels, labels = (_parted(setting, items, "BATCH_SIZE") for items in ("pixels", "labels"))
    changed = f"{setting.augment}(pixels, labels, CLASSES, draws)"
    return lines(
        "def batches() -> Iterator[tuple[Tensor, Tensor]]:",
        '    """The training images in a new order, changed anew: many at once, for that is faster."""',
        f"    for chosen in {_parted(setting, _order(setting), str(at_once))}:",
        "        pixels, labels = train[chosen]",
        f"        pixels = {f'standardise({changed})' if setting.standardises else changed}",
        f"        yield from zip({pixels}, {labels})",
    )


def _order(setting: Setting) -> str:
    place = "" if setting.device == "cpu" else ", device=DEVICE"
    return f"torch.randperm(len(train), generator=draws{place})"


def _before(setting: Setting) -> str:
    config = setting.config
    place = "" if setting.device == "cpu" else "DEVICE"
    return lines(
        bool(config.early_stopping) and f"PATIENCE = {config.early_stopping}  # epochs",
        bool(config.early_stopping) and "best_loss, best_epoch, best_weights = inf, 0, {}",
        f"history = {{{_COLUMNS}}}",
        f"draws = torch.Generator({place}).manual_seed(SEED)",
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
        "    total_loss, correct = 0.0, 0",
        indent(_steps(setting), "    "),
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


def _steps(setting: Setting) -> str:
    """Write the loop over the batches of an epoch."""
    in_half = setting.precision == torch.float16
    return lines(
        "for pixels, labels in batches():"
        if setting.augment
        else f"for chosen in {_parted(setting, _order(setting), 'BATCH_SIZE')}:",
        not setting.augment and "    pixels, labels = train[chosen]",
        indent(_forward(setting), "    "),
        "    optimizer.zero_grad()",
        "    scaler.scale(loss).backward()" if in_half else "    loss.backward()",
        "    scaler.step(optimizer)" if in_half else "    optimizer.step()",
        in_half and "    scaler.update()",
        setting.config.schedule != "constant" and "    scheduler.step()",
        f"    total_loss += {'plain_loss' if setting.config.label_smoothing else 'loss'}.item() * len(labels)",
        "    correct += (logits.argmax(1) == labels).sum().item()",
    )


def _forward(setting: Setting) -> str:
    forward = lines(
        "logits = network(pixels)",
        "loss = loss_function(logits, labels)",
        bool(setting.config.label_smoothing)
        and "plain_loss = F.cross_entropy(logits.detach(), labels)  # to compare with validation's",
    )
    if setting.precision == torch.float32:
        return forward
    return lines(
        f'with torch.autocast("{setting.device}", torch.{_type(setting)}):  # 16 bits: this machine has units for them',
        indent(forward, "    "),
    )


def _judge(config: RunConfig) -> str:
    return lines(
        bool(config.early_stopping) and "network.load_state_dict(best_weights)",
        "test_loss, hits = evaluate(test)",
        'print(f"test accuracy {hits.float().mean():.2%}")',
        "for label, name in enumerate(CLASSES):",
        '    print(f"  {name:12} {hits[test.tensors[1] == label].float().mean():.2%}")',
    )


def _type(setting: Setting) -> str:
    return str(setting.precision).removeprefix("torch.")
