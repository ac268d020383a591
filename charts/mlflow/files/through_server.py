"""Keeps artifacts on their way through the server.

MLflow tells clients to fetch artifacts straight from the object store, and to send those above
500 MB there, at the address that the server itself uses. That name means nothing outside of the
cluster, and clients try it for minutes before they give up. There is no switch for it on the
server's side, so the store's classes are said not to be of the kinds that can do it.
"""

from mlflow.store.artifact.artifact_repo import (
    MultipartDownloadMixin,
    MultipartUploadMixin,
    PresignedUploadMixin,
)

for kind in (MultipartDownloadMixin, MultipartUploadMixin, PresignedUploadMixin):
    kind.__subclasshook__ = classmethod(lambda *_: False)
