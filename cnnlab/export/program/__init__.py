"""A run's config as the whole program in seven steps, which needs PyTorch, NumPy and Plotly and nothing of ours.

On a CPU it comes to the run's weights bit for bit, on the same machine and as many threads.
"""

from cnnlab.export.program.files import to_notebook, to_script, without_helpers
from cnnlab.export.program.program import Program, Step, program_of, program_of_run, thread_changes
from cnnlab.export.program.setting import ProgramError, ThreadChanges

__all__ = [
    "Program",
    "ProgramError",
    "Step",
    "ThreadChanges",
    "program_of",
    "program_of_run",
    "thread_changes",
    "to_notebook",
    "to_script",
    "without_helpers",
]
