"""What an assignment asks, in words."""

from __future__ import annotations

from datetime import datetime

from cnnlab.classroom.assignment import CHOICES, Assignment
from cnnlab.training.config import field_title
from cnnlab.ui.shell.frame import counted

MOST_NAMED = 12  # settings


def deadline(assignment: Assignment, now: datetime) -> str:
    """Say until when it can be handed in."""
    if not assignment.deadline:
        return "No deadline"
    when = f"{assignment.deadline.astimezone():%d %b %Y, %H:%M}"
    return f"Closed since {when}" if assignment.is_over(now) else f"Hand in until {when}"


def free_settings(assignment: Assignment) -> str:
    """Say which settings pupils may change."""
    titles = [field_title(name) for name in assignment.free]
    if len(titles) == len(CHOICES):
        return "You may change everything but the data set."
    if not titles:
        return "All settings are fixed."
    more = f" and {len(titles) - MOST_NAMED} more" if len(titles) > MOST_NAMED else ""
    return f"You may change: {', '.join(titles[:MOST_NAMED])}{more}. All else is fixed."


def limits(assignment: Assignment) -> str:
    """Say what a run may take at most, and how often runs can be handed in."""
    most = [
        f"{assignment.most_epochs:,} epochs" if assignment.most_epochs else "",
        f"{assignment.most_parameters:,} parameters" if assignment.most_parameters else "",
        f"{counted(assignment.hand_ins_a_day, 'hand-in')} a day",
    ]
    start = "Runs may start from others and be taught drawings." if assignment.may_continue else ""
    return f"At most {', '.join(filter(None, most))}. {start}".strip()
