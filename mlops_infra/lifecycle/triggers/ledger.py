"""The ledger of events in PostgreSQL: who claims an event there first starts the training, once.

Every decision about a model is made under an advisory lock of that model, in one transaction with
what it is made from. So two controllers cannot both find the cool-down over, and a killed one
leaves either nothing or a claim that the next one carries out under the same name.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mlops_infra.lifecycle.triggers.declared import DeclaredModel
from mlops_infra.lifecycle.triggers.rules import (
    Decision,
    Past,
    Signal,
    Waiting,
    decide,
    workflow_name,
)
from mlops_infra.lifecycle.triggers.signals import Seen

if TYPE_CHECKING:
    from psycopg import Connection

Connect = Callable[[], AbstractContextManager["Connection[Any]"]]
"""Opens a transaction on the lifecycle's database."""
Outcome = Literal["running", "succeeded", "failed", "lost"]
Look = Callable[[dict[str, Any] | None], Seen]
"""What a trigger makes of its watermark."""
_EVENT_FIELDS = (
    *("tenant", "model", "trigger", "key", "cause", "state", "workflow", "outcome"),
    *("detail", "at", "fired", "finished"),
)
_EVENTS = (
    "SELECT tenant, model, trigger, cause_key, cause, "
    "CASE WHEN waiting THEN 'waiting' ELSE state END, workflow, outcome, detail, "
    "to_json(at), to_json(fired_at), to_json(finished_at) FROM trigger_event "
    "WHERE (%(tenant)s::text IS NULL OR tenant = %(tenant)s) "
    "AND (%(model)s::text IS NULL OR model = %(model)s) ORDER BY changed_at DESC LIMIT %(limit)s"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """An event that somebody has claimed, and the training that answers it."""

    tenant: str
    model: str
    trigger: str
    key: str
    workflow: str
    cause: dict[str, Any]
    at: datetime.datetime


class Ledger:
    """Events and watermarks of all triggers."""

    def __init__(self, connect: Connect, controller: str) -> None:
        self.connect = connect
        self._controller = controller

    def observe(self, model: DeclaredModel, trigger: str, look: Look) -> Signal | None:
        """Let a trigger look on from its watermark; finding and new watermark are one step."""
        with self._locked(model) as connection:
            row = connection.execute(
                "SELECT watermark FROM trigger_state WHERE tenant = %s AND trigger = %s",
                (model.tenant, trigger),
            ).fetchone()
            seen = look(row[0] if row else None)
            if seen.signal is not None:
                _offer(connection, model, seen.signal)
            if seen.watermark is not None:
                connection.execute(
                    "INSERT INTO trigger_state (tenant, trigger, watermark) VALUES (%s, %s, %s) "
                    "ON CONFLICT (tenant, trigger) DO UPDATE "
                    "SET watermark = excluded.watermark, changed_at = now()",
                    (model.tenant, trigger, json.dumps(seen.watermark)),
                )
        return seen.signal

    def offer(self, model: DeclaredModel, signal: Signal) -> bool:
        """Enter a signal that came from outside; False where that event is known already."""
        with self._locked(model) as connection:
            return _offer(connection, model, signal)

    def claim(self, model: DeclaredModel, now: datetime.datetime) -> Decision:
        """Decide about the model's waiting events, and claim the chosen one."""
        with self._locked(model) as connection:
            decision = decide(
                _waiting(connection, model), model.policy, _past(connection, model), now
            )
            if decision.fire is not None:
                self._claim(connection, model, decision, now)
            elif decision.hold is not None:
                connection.execute(
                    "UPDATE trigger_event SET detail = %s, changed_at = now() WHERE waiting "
                    "AND tenant = %s AND model = %s AND detail IS DISTINCT FROM %s",
                    (decision.hold, model.tenant, model.name, decision.hold),
                )
        return decision

    def _claim(
        self,
        connection: Connection[Any],
        model: DeclaredModel,
        decision: Decision,
        now: datetime.datetime,
    ) -> None:
        fire = decision.fire
        assert fire is not None  # noqa: S101 - the caller has looked
        workflow = workflow_name(model.tenant, model.name, fire.trigger, fire.key)
        connection.execute(
            "UPDATE trigger_event SET state = 'claimed', waiting = false, workflow = %s, "
            "claimed_by = %s, fired_at = %s, detail = NULL, changed_at = now() "
            "WHERE tenant = %s AND trigger = %s AND cause_key = %s",
            (workflow, self._controller, now, model.tenant, fire.trigger, fire.key),
        )
        for each in decision.covered:
            connection.execute(
                "UPDATE trigger_event SET waiting = false, workflow = %s, detail = %s, "
                "changed_at = now() WHERE tenant = %s AND trigger = %s AND cause_key = %s",
                (workflow, f"answered by {workflow}", model.tenant, each.trigger, each.key),
            )

    def open_claims(self) -> list[Claim]:
        """Claims whose training was not seen to start: of this controller, or of a dead one."""
        return self._claims("state = 'claimed'")

    def running(self) -> list[Claim]:
        """Trainings that were started and have not ended yet."""
        return self._claims("state = 'fired' AND outcome = 'running'")

    def started(self, claim: Claim) -> None:
        """The training is there."""
        self._set(claim, "state = 'fired', outcome = 'running', detail = NULL")

    def failed(self, claim: Claim, why: str) -> None:
        """The training cannot be started."""
        self._set(claim, "state = 'failed', detail = %s", why[:1000])

    def ended(self, claim: Claim, outcome: Outcome, detail: str, at: datetime.datetime) -> None:
        """The training was seen to have ended at ``at``: its cool-down counts from there."""
        changes = "outcome = %s, detail = %s, finished_at = %s"
        self._set(claim, changes, outcome, detail[:1000], at)
        # a drop or a drift that was seen again meanwhile is the one that was just answered
        with self.connect() as connection:
            connection.execute(
                "UPDATE trigger_event SET waiting = false, workflow = %s, detail = %s, "
                "changed_at = now() WHERE waiting AND tenant = %s AND model = %s "
                "AND kind IN ('drift', 'metric-drop')",
                (claim.workflow, f"answered by {claim.workflow}", claim.tenant, claim.model),
            )

    def events(
        self, *, tenant: str | None = None, model: str | None = None, limit: int = 100
    ) -> list[dict[str, Any]]:
        """The latest events, newest first, in a form for JSON."""
        with self.connect() as connection:
            rows = connection.execute(
                _EVENTS, {"tenant": tenant, "model": model, "limit": limit}
            ).fetchall()
        return [dict(zip(_EVENT_FIELDS, row, strict=True)) for row in rows]

    def withdraw(self, model: DeclaredModel, signal: Signal, why: str) -> None:
        """Take back a waiting event that shall not be answered later."""
        with self.connect() as connection:
            connection.execute(
                "UPDATE trigger_event SET waiting = false, detail = %s, changed_at = now() "
                "WHERE waiting AND tenant = %s AND trigger = %s AND cause_key = %s",
                (why, model.tenant, signal.trigger, signal.key),
            )

    def _claims(self, condition: str) -> list[Claim]:
        columns = "tenant, model, trigger, cause_key, workflow, cause, fired_at"
        query = f"SELECT {columns} FROM trigger_event WHERE {condition} ORDER BY fired_at"  # noqa: S608
        with self.connect() as connection:
            return [Claim(*row) for row in connection.execute(query).fetchall()]

    def _set(self, claim: Claim, changes: str, *values: str | datetime.datetime) -> None:
        with self.connect() as connection:
            connection.execute(
                f"UPDATE trigger_event SET {changes}, changed_at = now() "  # noqa: S608 - from above
                "WHERE tenant = %s AND trigger = %s AND cause_key = %s",
                (*values, claim.tenant, claim.trigger, claim.key),
            )

    @contextmanager
    def _locked(self, model: DeclaredModel) -> Iterator[Connection[Any]]:
        with self.connect() as connection:
            connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"train:{model.id}",)
            )
            yield connection


def _offer(connection: Connection[Any], model: DeclaredModel, signal: Signal) -> bool:
    made = connection.execute(
        "INSERT INTO trigger_event "
        "(tenant, model, trigger, cause_key, kind, cause, at, state, waiting) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, 'suppressed', true) ON CONFLICT DO NOTHING",
        (
            *(model.tenant, model.name, signal.trigger, signal.key, signal.kind),
            *(json.dumps(signal.cause), signal.at),
        ),
    )
    return made.rowcount == 1


def _waiting(connection: Connection[Any], model: DeclaredModel) -> Sequence[Waiting]:
    rows = connection.execute(
        "SELECT trigger, kind, cause_key, at FROM trigger_event "
        "WHERE waiting AND tenant = %s AND model = %s",
        (model.tenant, model.name),
    ).fetchall()
    return [Waiting(*row) for row in rows]


def _past(connection: Connection[Any], model: DeclaredModel) -> Past:
    last, under_way = connection.execute(
        "SELECT max(coalesce(finished_at, fired_at)) FILTER (WHERE state <> 'failed'), "
        "min(workflow) FILTER (WHERE state = 'claimed' OR outcome = 'running') "
        "FROM trigger_event WHERE tenant = %s AND model = %s "
        "AND state IN ('claimed', 'fired', 'failed')",
        (model.tenant, model.name),
    ).fetchone() or (None, None)
    return Past(last, under_way)
