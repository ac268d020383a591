"""Names that several rooms share: namespaces, Secrets, variables, labels, tags.

No other Python file spells them; a test looks. Charts and the catalog are data and spell what they
need; golden renders hold them against this.
"""

from __future__ import annotations

OWNER = "mlops-infra"
"""Value of the labels and tags that say who manages a thing."""

# --- namespaces
STORES_NAMESPACE = "mlops-stores"
"""Of PostgreSQL, the S3 store and Valkey."""


_TENANT_PREFIX = "tenant-"


def tenant_namespace(tenant: str) -> str:
    """Namespace of a tenant; also the name of its bucket and of its account at every store."""
    return f"{_TENANT_PREFIX}{tenant}"


def tenant_of(namespace: str) -> str:
    """The tenant whose namespace it is."""
    return namespace.removeprefix(_TENANT_PREFIX)


# --- Secrets
GATEWAY_TOKEN_SECRET = "gateway-token"  # noqa: S105 - a name
"""In a tenant's namespace: `token`, with which its requests come to the model gateway."""
MLFLOW_SECRET = "mlflow-auth"  # noqa: S105
"""Beside MLflow: `username` and `password` of its administrator."""
MLFLOW_OBJECTS_SECRET = "mlflow-s3"  # noqa: S105
"""Beside MLflow: `accessKey` and `secretKey` of its bucket."""
OBJECT_STORE_SECRET = "object-store"  # noqa: S105
"""In a tenant's namespace: `accessKey` and `secretKey` of its bucket."""
OBJECT_STORE_ROOT_SECRET = "object-store-root"  # noqa: S105
"""Beside the S3 store: the keys that may do everything; for the store's own set-up alone."""
OBJECT_STORE_PLATFORM_SECRET = "object-store-platform"  # noqa: S105
"""Beside the S3 store: the keys of the account that owns all buckets; for backups."""
OBJECT_STORE_PLATFORM_ACCOUNT = "mlops-platform"
"""Access key of that account."""
POSTGRESQL_ADMIN_SECRET = "postgresql-admin"  # noqa: S105
"""Beside PostgreSQL: the superuser."""
SERVING_RCLONE_SECRET = "serving-rclone"  # noqa: S105
"""In a tenant's namespace: the store of its models as Seldon's loader (rclone) reads it."""
SERVING_S3_SECRET = "serving-s3"  # noqa: S105
"""In a tenant's namespace: the store of its models as KServe's loader reads it."""
TRIGGER_TOKEN_SECRET = "trigger-token"  # noqa: S105
"""Beside the triggers: `token`, with which people and Alertmanager fire them."""
VALKEY_SECRET = "valkey-auth"  # noqa: S105
"""Beside the stores: `password` of the key-value store."""

# --- CronJobs
REPLAY_CRON_JOB = "lifecycle-replay"
"""In a tenant's namespace, suspended: a Job from it computes a logged prediction again."""

# --- labels and annotations
NAME_LABEL = "app.kubernetes.io/name"
COMPONENT_ROLE_LABEL = "app.kubernetes.io/component"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
PART_OF_LABEL = "app.kubernetes.io/part-of"

COMPONENT_LABEL = "mlops-infra.dev/component"
KEPT_LABEL = "mlops-infra.dev/kept"
"""On PersistentVolumes that a teardown kept."""
MODEL_LABEL = "mlops-infra.dev/model"
"""Also an annotation, which holds the name in full."""
PIPELINE_LABEL = "mlops-infra.dev/pipeline"
RUN_LABEL = "mlops-infra.dev/run"
SERVED_BY_LABEL = "mlops-infra.dev/served-by"
SIMULATED_LABEL = "mlops-infra.dev/simulated"
STACK_LABEL = "mlops-infra.dev/stack"
STATEFUL_LABEL = "mlops-infra.dev/stateful"
"""On whatever holds state: the name in `allowReplace`."""
ON_REMOVAL_TAG = "mlops-infra.dev/on-removal"
"""On a tenant's bucket: its `onRemoval`, as accounts.py of the chart versitygw notes it."""
TENANT_LABEL = "mlops-infra.dev/tenant"
TRIGGER_LABEL = "mlops-infra.dev/trigger"
VERSION_LABEL = "mlops-infra.dev/version"
CAUSE_ANNOTATION = "mlops-infra.dev/cause"
CAUSE_KEY_ANNOTATION = "mlops-infra.dev/cause-key"
CLAIM_ANNOTATION = "mlops-infra.dev/claim"
"""On a kept volume: the claim that an operator had made for it, as JSON."""
SET_ASIDE_ANNOTATION = "mlops-infra.dev/set-aside"
REPLICAS_ANNOTATION = "mlops-infra.dev/replicas-before-restore"

LOCAL_PATH_DRIVER = "mlops-infra.dev/local-path"
"""Provisioner of the embedded cluster's volumes."""

# --- tags on AWS
STACK_TAG = "mlops-infra:stack"
"""Names the stack on every taggable resource; the teardown sweeps by it."""
ENVIRONMENT_TAG = "mlops-infra:environment"
MANAGED_BY_TAG = "mlops-infra:managed-by"

# --- variables that people set
VARIABLES = "MLOPS_INFRA_"
"""What the names of all of them begin with."""
ARCHIVE_MIRROR_VARIABLE = "MLOPS_INFRA_ARCHIVE_MIRROR"
BUNDLE_VARIABLE = "MLOPS_INFRA_BUNDLE"
BUNDLE_PASSPHRASE_VARIABLE = "MLOPS_INFRA_BUNDLE_PASSPHRASE"  # noqa: S105
BUNDLE_PASSPHRASE_FILE_VARIABLE = "MLOPS_INFRA_BUNDLE_PASSPHRASE_FILE"  # noqa: S105
CACHE_VARIABLE = "MLOPS_INFRA_CACHE"
COMPLETION_VARIABLE = "_MLOPS_INFRA_COMPLETE"
"""By which a shell asks for completions; click makes the name so."""
DATA_VARIABLE = "MLOPS_INFRA_DATA"
DEBIAN_MIRROR_VARIABLE = "MLOPS_INFRA_DEBIAN_MIRROR"
REGISTRIES_VARIABLE = "MLOPS_INFRA_REGISTRIES"
STACK_VARIABLE = "MLOPS_INFRA_STACK"
STACKS_VARIABLE = "MLOPS_INFRA_STACKS"
"""Folder of the stacks' files."""
STACK_FILE_VARIABLE = "MLOPS_INFRA_STACK_FILE"

# --- variables between our own processes
PACKAGE_VARIABLE = "MLOPS_INFRA_PACKAGE"

# --- variables from the engine to the program
APPROVED_MODEL_VARIABLE = "MLOPS_INFRA_APPROVED_MODEL"
"""ARN of the newest approved package of the stack's group; `none` while there is none."""
BACKEND_ID_VARIABLE = "MLOPS_INFRA_BACKEND_ID"
HELM_VARIABLE = "MLOPS_INFRA_HELM"
NODE_ADDRESS_VARIABLE = "MLOPS_INFRA_NODE_ADDRESS"
SEED_FILE_VARIABLE = "MLOPS_INFRA_SEED_FILE"

# --- variables of the platform's Pods
BUCKET_VARIABLE = "MLOPS_INFRA_BUCKET"
CA_CONFIG_MAP_VARIABLE = "MLOPS_INFRA_CA_CONFIG_MAP"
FEATURES_VARIABLE = "MLOPS_INFRA_FEATURES"
GATEWAY_VARIABLE = "MLOPS_INFRA_GATEWAY"
"""URL of the model gateway."""
GATEWAY_TOKEN_VARIABLE = "MLOPS_INFRA_GATEWAY_TOKEN"  # noqa: S105
"""The tenant's token for the gateway."""
GATEWAY_SETTINGS = "MLOPS_INFRA_GATEWAY_"
"""Begins the names of the gateway's own settings."""
LINEAGE_VARIABLE = "MLOPS_INFRA_LINEAGE"
LINEAGE_PASSWORD_VARIABLE = "MLOPS_INFRA_LINEAGE_PASSWORD"  # noqa: S105
MODELS_VARIABLE = "MLOPS_INFRA_MODELS"
PIPELINES_VARIABLE = "MLOPS_INFRA_PIPELINES"
"""URL of the API server of Kubeflow Pipelines."""
PROMETHEUS_VARIABLE = "MLOPS_INFRA_PROMETHEUS"
SERVING_VARIABLE = "MLOPS_INFRA_SERVING"
"""JSON: which model servers there are, and which one serves which model of the tenant."""
RUNTIME_IMAGE_VARIABLE = "MLOPS_INFRA_RUNTIME_IMAGE"
TENANT_VARIABLE = "MLOPS_INFRA_TENANT"
VALIDATOR_VARIABLE = "MLOPS_INFRA_VALIDATOR"
