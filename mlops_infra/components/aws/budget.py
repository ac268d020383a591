"""A monthly bound that sends mail before the bill does."""

from __future__ import annotations

import pulumi
from pulumi import ResourceOptions
from pulumi_aws.budgets import Budget, BudgetCostFilterArgs, BudgetNotificationArgs

from mlops_infra import contract
from mlops_infra.components.aws.foundation.foundation import Foundation

SPENT = ((80, "ACTUAL"), (100, "ACTUAL"), (100, "FORECASTED"))
"""Per cent of the bound, and whether it is spent or foreseen."""


def build_budget(foundation: Foundation, *, parent: pulumi.Resource | None = None) -> None:
    """Declare the budget where the configuration asks for one.

    It counts what carries the stack's tag, which must be activated as a cost allocation tag in the
    account's billing settings.
    """
    wanted = foundation.config.budget
    if wanted is None:
        return
    emails = list(wanted.emails)
    notifications = [
        BudgetNotificationArgs(
            comparison_operator="GREATER_THAN",
            threshold=percent,
            threshold_type="PERCENTAGE",
            notification_type=kind,
            subscriber_email_addresses=emails,
        )
        for percent, kind in SPENT
    ]
    stack = BudgetCostFilterArgs(
        name="TagKeyValue", values=[f"user:{contract.STACK_TAG}${foundation.names.stack}"]
    )
    Budget(
        "budget",
        name=foundation.name("budget", "month"),
        budget_type="COST",
        limit_amount=f"{wanted.monthly_usd}.0",
        limit_unit="USD",
        time_unit="MONTHLY",
        cost_filters=[stack],
        notifications=notifications,
        opts=ResourceOptions(parent=parent or foundation.parent),
    )
