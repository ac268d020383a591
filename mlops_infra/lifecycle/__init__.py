"""The MLOps loop that `verify`, jobs and people share: data, training, tracking, lineage.

Everything here works from outside of the cluster too: it knows endpoints and credentials
(`services.endpoints`, `services.credentials`). What talks to a service is behind a small protocol
(`registry.tracking.Tracking`, `lineage.index.KeyValue`, `services.object_store.ObjectStore`) and
raises errors of `mlops_infra.errors` alone.
"""

import os

# MLflow and Evidently tell their makers of each use unless these are set when they are imported,
# whoever imports them first.
os.environ.update({"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"})
