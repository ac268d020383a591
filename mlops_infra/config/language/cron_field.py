"""One field of a cron expression: numbers, names, ranges and steps, for every dialect alike."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_infra.config.language.invalid import InvalidValueError


@dataclass(frozen=True, slots=True)
class CronField:
    """What one field takes in a dialect."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    """Words for the numbers from `low` on."""
    every: tuple[str, ...] = ("*",)
    """What stands for all numbers."""
    special: str | None = None
    """What else an item may be, as a regular expression; not read here."""


def expanded(item: str, field: CronField) -> range:
    """The values of `*`, `5`, `1-5`, each with or without a step: `*/15`, `5/15`, `1-5/2`.

    Raises:
        InvalidValueError: it is none of these, or leaves the field's bounds.
    """
    span, slash, step_text = item.partition("/")
    first_text, dash, last_text = span.partition("-")
    if span in field.every:
        first, last = field.low, field.high
    else:
        first = _number(first_text, item, field)
        last = _number(last_text, item, field) if dash else first
    step = 1
    if slash:
        step = _digits(step_text, item, field)
        last = last if dash else field.high
    for number in (first, last):
        if not field.low <= number <= field.high:
            sunday = field.low == 0 and len(field.names) == number == 7
            raise InvalidValueError(
                f"{field.name} {number} is not within {field.low} to {field.high}",
                "Sunday is 0 or sun" if sunday else None,
            )
    if first > last:
        message = f"{field.name} '{item}' ends before it begins"
        parts = f"{first_text}-{_word(field.high, field)},{_word(field.low, field)}-{last_text}"
        raise InvalidValueError(message, f"as a list: {parts}")
    if step == 0:
        raise InvalidValueError(f"{field.name} '{item}' has a step of 0", "1 or more")
    return range(first, last + 1, step)


def _number(word: str, item: str, field: CronField) -> int:
    if word in field.names:
        return field.names.index(word) + field.low
    return _digits(word, item, field)


def _digits(word: str, item: str, field: CronField) -> int:
    # `isdigit` alone takes digits of other scripts, and a list of digits may be as long as memory
    if word.isascii() and word.isdigit() and len(word) <= 4:
        return int(word)
    known = f"{field.low} to {field.high}"
    if field.names:
        known += f" or {field.names[0]} to {field.names[-1]}"
    raise InvalidValueError(
        f"'{item}' is not a valid {field.name}", f"{known}, *, */n or a list of these"
    )


def _word(number: int, field: CronField) -> str:
    return field.names[number - field.low] if field.names else str(number)
