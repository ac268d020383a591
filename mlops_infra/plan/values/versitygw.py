"""The S3 gateway: an account for each client, buckets, and who may use them."""

from __future__ import annotations

import json

from mlops_infra import contract
from mlops_infra.plan.tenancy.buckets import buckets
from mlops_infra.plan.values.context import Context, Values


def values(context: Context) -> Values:
    """Volume, root credentials, region, and the accounts and buckets to make."""
    declared = buckets(context.of)
    secrets = {grant.secret for each in declared for grant in each.grants}
    return {
        **context.persistence("object"),
        "auth": {"secret": contract.OBJECT_STORE_ROOT_SECRET},
        "region": context.config.stores.object.region,
        "owner": {"secret": contract.OBJECT_STORE_PLATFORM_SECRET},
        "accounts": [{"secret": secret} for secret in sorted(secrets)],
        "buckets": [
            {
                "name": each.name,
                "policy": json.dumps(each.policy, sort_keys=True),
                "onRemoval": each.on_removal or "",
            }
            for each in declared
        ],
    }
