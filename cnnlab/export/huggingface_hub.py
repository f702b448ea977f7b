"""A run's network in a repository on Hugging Face, with its card."""

from __future__ import annotations

import os
from collections.abc import Mapping

from safetensors.torch import save

from cnnlab.export.formats.table import EXPORTS
from cnnlab.export.metrics import InteropError, need
from cnnlab.export.portable import Portable
from cnnlab.runs.run import Run

FILES = {  # in the repository → its format
    "README.md": "md",
    "card.json": "card.json",
    "network.onnx": "onnx",
    "page.html": "html",
    "predict.py": "py",
}
WEIGHTS, LAYERS = "model.safetensors", "network.json"
ENVIRONMENT = {  # unless the user has set it
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",  # the token is given where it is meant
}


def to_hugging_face(run: Run, repository: str, public: bool = False) -> str:
    """Put the run's network and its card into ``repository`` (user/name) in one commit; return its address.

    The token is the environment's HF_TOKEN or that of ``hf auth login``; the server HF_ENDPOINT, where that is set. A
    repository that is new is private unless ``public``. Nothing is sent before all files are written and checked.
    Raises InteropError without the package or a token, or where the server refuses; ExportError where a file cannot be
    written.
    """
    need("huggingface_hub")
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from huggingface_hub import CommitOperationAdd, HfApi, get_token  # noqa: PLC0415 - optional and slow to import

    token = get_token()
    if not token:
        raise InteropError("no token of Hugging Face: set HF_TOKEN, or log in with `hf auth login`")
    portable = Portable.of(run, run.title)
    portable.count_look()
    contents = _contents(portable)
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"), token=token, library_name="cnnlab")
    try:
        address = api.create_repo(repository, private=not public, exist_ok=True)
        added = [CommitOperationAdd(path, content) for path, content in contents.items()]
        api.create_commit(repository, added, commit_message=f"{run.title} (epoch {run.judged_epoch})")
    except (OSError, ValueError, RuntimeError) as error:  # the package's errors are of these kinds
        raise InteropError(f"Hugging Face did not take it: {_reason(error)}") from error
    return str(address)


def _contents(portable: Portable) -> Mapping[str, bytes]:
    """Write all files of the repository."""
    written = {path: EXPORTS[suffix].write(portable)[0] for path, suffix in FILES.items()}
    weights = {name: tensor.contiguous() for name, tensor in portable.trained.network.state_dict().items()}
    return {
        **written,
        WEIGHTS: save(weights, {"format": "pt"}),
        LAYERS: portable.architecture.model_dump_json().encode(),
    }


def _reason(error: Exception) -> str:
    """Return the first line of an error that may quote the server."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
