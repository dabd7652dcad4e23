"""Floors by the clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tenfold_operator.model.generated import WorkloadScalingSchedule

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, kw_only=True)
class Floor:
    """The least number of pods.

    Attributes:
        replicas: 0 when no schedule holds.
        reasons: Which schedules hold, and which cannot be read.
    """

    replicas: int
    reasons: tuple[str, ...]


def floor(schedules: Sequence[WorkloadScalingSchedule], now: datetime, ahead: timedelta) -> Floor:
    """Return the highest floor from now until `ahead`: pods must be ready when it begins."""
    replicas, reasons = 0, []
    for each in schedules:
        try:
            zone = ZoneInfo(each.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            reasons.append(
                f"schedule {each.name} is left out: there is no time zone {each.time_zone};"
                " name one as in Europe/Istanbul"
            )
            continue
        if _holds(each, now, now + ahead, zone):
            replicas = max(replicas, each.min_replicas)
            reasons.append(
                f"schedule {each.name} asks for {each.min_replicas} pods from {each.start}"
                f" to {each.end} {each.time_zone}"
            )
    return Floor(replicas=replicas, reasons=tuple(reasons))


def _holds(
    schedule: WorkloadScalingSchedule, first: datetime, last: datetime, zone: ZoneInfo
) -> bool:
    """Whether the schedule, begun on any of these days or the day before, meets [first, last]."""
    start, end = time.fromisoformat(schedule.start), time.fromisoformat(schedule.end)
    day = first.astimezone(zone).date() - timedelta(days=1)
    while day <= last.astimezone(zone).date():
        if not schedule.days or _DAYS[day.weekday()] in schedule.days:
            ends_on = day if end > start else day + timedelta(days=1)
            if _at(day, start, zone) <= last and first < _at(ends_on, end, zone):
                return True
        day += timedelta(days=1)
    return False


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    # Compared as moments: two times of one zone would be compared by their clocks.
    return datetime.combine(day, clock, zone).astimezone(ZoneInfo("UTC"))
