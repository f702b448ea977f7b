"""What a member of a class may use of a server, and whether something more would still fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from cnnlab.quantities import counted, rough_duration, size

MB = 1e6  # bytes
FREE_DISK = "delete runs on Compare, there also for good, or data sets on Data"

Limit = Annotated[int, Field(ge=1)] | None


class Quotas(BaseModel):
    """The most that each member may use; None: no limit of their own. Teachers have none."""

    model_config = ConfigDict(frozen=True)

    running: Limit = None  # trainings at once; the others wait
    queued: Limit = None  # trainings that run or wait
    images_a_day: Limit = None  # training images times epochs, of the trainings that began within 24 hours
    disk_mb: Limit = None  # runs and data sets, deleted ones included until they are gone for good


@dataclass(frozen=True)
class Use:
    """What somebody uses, or what something more would take."""

    queued: int = 0  # trainings
    images: int = 0  # training images times epochs
    bytes: int = 0
    renews_in: float = 0.0  # seconds until the first of these images no longer count


def refusal(quotas: Quotas, used: Use, more: Use) -> str:
    """Say which quota ``more`` would exceed, and how to free it; empty where it fits."""
    if quotas.queued and used.queued + more.queued > quotas.queued:
        return f"{quotas.queued} of your trainings wait or run: remove one, or wait until one ends"
    if quotas.images_a_day and used.images + more.images > quotas.images_a_day:
        return _too_many_images(quotas.images_a_day, used, more.images)
    if quotas.disk_mb and more.bytes and used.bytes + more.bytes > quotas.disk_mb * MB:
        return (
            f"your runs and data sets take {size(used.bytes)} of your {size(quotas.disk_mb * MB)} of disk, and this "
            f"needs {size(more.bytes)}: {FREE_DISK}"
        )
    return ""


def told(quotas: Quotas, used: Use, more: Use) -> list[str]:
    """List in words what ``more`` takes of each quota and what is left now; nothing where there are none."""
    lines = []
    if most := quotas.images_a_day:
        left = max(0, most - used.images)
        lines.append(f"{counted(more.images)} images in all epochs, of {counted(left)} left today")
    if most := quotas.disk_mb:
        left = max(0, round(most * MB) - used.bytes)
        lines.append(f"{size(left)} of disk left")
    if most := quotas.queued:
        lines.append(f"{used.queued} of {most} trainings in the queue")
    return lines


def _too_many_images(most: int, used: Use, more: int) -> str:
    wanted = f"this takes {counted(more)} images in all epochs, and you have "
    fewer = "train for fewer epochs or on fewer images"
    if more > most:
        return f"{wanted}{counted(most)} a day: {fewer}"
    left = counted(max(0, most - used.images))
    return (
        f"{wanted}{left} of {counted(most)} left today: {fewer}, or wait. More are free in "
        f"{rough_duration(used.renews_in)}; stopping a training frees the epochs it has not begun"
    )
