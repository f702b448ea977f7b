"""Step 5: what the network is trained by: loss, optimiser, learning rate."""

from __future__ import annotations

from cnnlab.export.program.setting import Setting
from cnnlab.export.program.words import borrowed, lines
from cnnlab.training import balance
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


def loss_text(config: RunConfig) -> str:
    """Describe the step in Markdown."""
    told = (
        "Cross-entropy is low where the right class has the highest logit by far. "
        f"{_OPTIMISERS[config.optimizer]}; its learning rate is {config.learning_rate:g}.{_SCHEDULES[config.schedule]}"
    )
    if _warms_up(config):
        told += " Before, it rises in a line: first steps are long, and the first gradients are poor guides."
    if config.class_balance == "weights":
        told += " The rarer a class, the more its images weigh in the loss."
    return told


def loss_code(setting: Setting) -> str:
    """Write code that defines EPOCHS, BATCH_SIZE, the loss, the optimiser, and a scheduler where the rate changes."""
    config = setting.config
    weighs = config.class_balance == "weights"
    arguments = [
        *["class_weights(train.tensors[1], len(CLASSES))"] * weighs,
        *[f"label_smoothing={config.label_smoothing}"] * bool(config.label_smoothing),
    ]
    code = lines(
        f"EPOCHS = {config.epochs}",
        f"BATCH_SIZE = {config.batch_size}",
        setting.is_parted and f"MICRO_BATCH = {config.micro_batch}  # images through the network at once",
        "",
        f"loss_function = nn.CrossEntropyLoss({', '.join(arguments)})",
        f"optimizer = {_optimiser(setting)}",
        _scheduler(setting),
        "print(optimizer)",
    )
    return f"{borrowed(balance, 'class_weights')}\n\n\n{code}" if weighs else code


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


def _scheduler(setting: Setting) -> str | bool:
    """Write the scheduler, and the steps of an epoch that it counts by; False where the rate is constant."""
    config = setting.config
    if config.schedule == "constant" and not _warms_up(config):
        return False
    if not _warms_up(config):
        return lines(_steps_per_epoch(setting), f"scheduler = torch.optim.lr_scheduler.{_schedule(config)}")
    rise = "(step + 1) / (warmup_steps + 1)"
    scheduler = "torch.optim.lr_scheduler"
    return lines(
        _steps_per_epoch(setting),
        f"warmup_steps = {config.warmup_epochs} * steps_per_epoch",
        config.schedule == "constant" and f"scheduler = {scheduler}.LambdaLR(optimizer, lambda step: min(1, {rise}))",
        config.schedule != "constant"
        and lines(
            f"warmup = {scheduler}.LambdaLR(optimizer, lambda step: {rise})",
            f"schedule = {scheduler}.{_schedule(config)}",
            f"scheduler = {scheduler}.SequentialLR(optimizer, [warmup, schedule], [warmup_steps])",
        ),
    )


def _steps_per_epoch(setting: Setting) -> str:
    if setting.joins_single:
        return "steps_per_epoch = ceil((len(train) - 1) / BATCH_SIZE)  # a single last image joins the batch before it"
    return "steps_per_epoch = ceil(len(train) / BATCH_SIZE)"


def _schedule(config: RunConfig) -> str:
    """Write the schedule of the steps after the warm-up."""
    total = "total_steps=EPOCHS * steps_per_epoch + 1"  # it is asked once more after the last step
    one_cycle = f"optimizer, {config.learning_rate}, {total}"
    if config.optimizer not in _WITH_BETA1:
        one_cycle = f"\n    {one_cycle}, cycle_momentum=False\n"
    return {
        "step": f"StepLR(optimizer, {config.step_epochs} * steps_per_epoch, gamma={config.step_factor})",
        "cosine": f"CosineAnnealingLR(optimizer, EPOCHS * steps_per_epoch{' - warmup_steps' * _warms_up(config)})",
        "one-cycle": f"OneCycleLR({one_cycle})",
    }[config.schedule]


def _warms_up(config: RunConfig) -> bool:
    """Tell whether the rate rises before the schedule; one-cycle does so by itself."""
    return bool(config.warmup_epochs) and config.schedule != "one-cycle"
