"""Events of progress as text: how a step stands, and how it ended."""

from __future__ import annotations

from mlops_infra.progress import Event

MARKS = {"done": "ok", "unchanged": "ok", "failed": "FAILED", "skipped": "skipped"}


def line(event: Event) -> str:
    """One event as a line of text."""
    match event.kind:
        case "started":
            return f"... {event.title}"
        case "finished":
            return ending(event)
        case "noted":
            return f"    {event.title}: {event.text}"
        case "advanced":
            return f"    {event.title}: {amount(event)}"


def ending(event: Event) -> str:
    """How a step ended, how long it took, and why where it says so."""
    outcome = event.outcome or "done"
    mark = MARKS[outcome]
    extra = " (unchanged)" if outcome == "unchanged" else ""
    detail = f": {event.text}" if event.text else ""
    return f"{mark:<3} {event.title}{extra} in {event.seconds or 0.0:.1f} s{detail}"


def amount(event: Event) -> str:
    """How far a step is, in its own unit."""
    done, total = event.done or 0, event.total
    if event.unit == "bytes":
        whole = f" of {megabytes(total)}" if total else ""
        count = f"{megabytes(done)}{whole}"
    else:
        whole = f" of {total}" if total else ""
        count = f"{done}{whole} {event.unit}".rstrip()
    return f"{count} ({100 * done // total}%)" if total else count


def megabytes(size: int) -> str:
    """A size that people read: `12.3 MB`."""
    return f"{size / 1e6:.1f} MB"
