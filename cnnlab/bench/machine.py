"""What figures depend on besides the code: the machine and its software."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

from cnnlab.training.device import choose_precision, threads_each


def machine(asked: str = "auto") -> dict[str, str]:
    """Return what figures depend on: processor, software, threads, precision."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    units = [name for name in ("avx2", "avx512_f", "amx_bf16") if torch.cpu.get_capabilities().get(name)]
    precision = str(choose_precision(asked, torch.device("cpu"))).removeprefix("torch.")
    return {
        "processor": f"{model}, {os.cpu_count()} cores ({', '.join(units)})",
        "system": f"{platform.system()} {platform.machine()}, {'-'.join(platform.libc_ver())}",
        "software": f"Python {platform.python_version()}, PyTorch {torch.__version__}",
        "training": f"{threads_each()} thread{'s' * (threads_each() > 1)}, {precision}",
    }
