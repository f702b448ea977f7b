"""What the program does with a batch: forward, backward, the optimiser's step, and the sums of the epoch."""

from __future__ import annotations

from textwrap import indent

import torch

from cnnlab.export.program.setting import Setting
from cnnlab.export.program.words import lines
from cnnlab.training.config import RunConfig

_THREADS = "torch.set_num_threads(THREADS.get(step + 1, torch.get_num_threads()))"
_RIGHT = "(logits.argmax(1) == labels)"
_RIGHT_SHARES = "targets.gather(1, logits.argmax(1, keepdim=True))"  # of the classes that are named
_AS_CHECKED = "to compare with validation's"


def batch_code(setting: Setting) -> str:
    """Write what is done with the images ``pixels`` and their ``labels``."""
    config, in_half = setting.config, setting.precision == torch.float16
    loss = "loss" if _is_plain(config) or setting.is_parted else "plain_loss"
    return lines(
        bool(setting.threads) and _THREADS,
        setting.mixes and _mixing(config),
        _parts(setting) if setting.is_parted else _whole(setting),
        bool(config.gradient_clipping) and in_half and "scaler.unscale_(optimizer)",
        bool(config.gradient_clipping)
        and f"nn.utils.clip_grad_norm_(network.parameters(), {config.gradient_clipping})",
        "scaler.step(optimizer)" if in_half else "optimizer.step()",
        in_half and "scaler.update()",
        (config.schedule != "constant" or bool(config.warmup_epochs)) and "scheduler.step()",
        setting.counts_steps and "step += 1",
        bool(config.weight_average) and "average.update(step)",
        f"total_loss += {loss}.item() * len(labels)",
        f"correct += {_RIGHT_SHARES if setting.mixes else _RIGHT}.sum().item()",
    )


def _mixing(config: RunConfig) -> str:
    """Write the mixing of a batch: ``pixels`` and ``targets``."""
    return lines(
        "random = np.random.default_rng((SEED, step))",
        f"pixels, targets = mixed(pixels, labels, len(CLASSES), {config.mixup}, {config.cutmix}, random)",
    )


def _is_plain(config: RunConfig) -> bool:
    """Tell whether the loss that is trained by can be compared with validation's."""
    return not config.label_smoothing and config.class_balance != "weights"


def _whole(setting: Setting) -> str:
    """Write forward and backward of a whole batch."""
    targets = _targets(setting)
    forward = lines(
        "logits = network(pixels)",
        f"loss = loss_function(logits, {targets})",
        not _is_plain(setting.config) and f"plain_loss = F.cross_entropy(logits.detach(), {targets})  # {_AS_CHECKED}",
    )
    return lines(_cast(setting, forward), "optimizer.zero_grad()", _backward(setting))


def _parts(setting: Setting) -> str:
    """Write forward and backward of a batch's parts, one after another."""
    targets = _targets(setting)
    parts = f"zip({setting.parted('pixels', 'MICRO_BATCH')}, {setting.parted(targets, 'MICRO_BATCH')})"
    weighs = setting.config.class_balance == "weights" and not setting.mixes
    share = "loss_function.weight[{}].sum()" if weighs else "len({})"
    forward = lines("logits = network(part)", "loss = loss_function(logits, aims) * share")
    return lines(
        "optimizer.zero_grad()",
        "answers = []",
        f"for part, aims in {parts}:",
        f"    share = {share.format('aims')} / {share.format(targets)}  # of the batch",
        indent(_cast(setting, forward), "    "),
        f"    {_backward(setting)}  # adds to the gradients of earlier parts",
        "    answers.append(logits.detach())",
        "logits = torch.cat(answers).float()",
        f"loss = F.cross_entropy(logits, {targets})  # {_AS_CHECKED}",
    )


def _targets(setting: Setting) -> str:
    return "targets" if setting.mixes else "labels"


def _backward(setting: Setting) -> str:
    return "scaler.scale(loss).backward()" if setting.precision == torch.float16 else "loss.backward()"


def _cast(setting: Setting, forward: str) -> str:
    """Write that ``forward`` calculates in the precision."""
    if setting.precision == torch.float32:
        return forward
    return lines(
        f'with torch.autocast("{setting.device}", torch.{setting.number}):  # 16 bits: this machine has units for them',
        indent(forward, "    "),
    )
