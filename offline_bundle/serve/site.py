"""One bundle as a site on HTTP: which part answers what."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message

from mlops_infra.errors import InputError, MlopsError
from offline_bundle.serve import distribution, plain
from offline_bundle.serve.access import Accounts
from offline_bundle.serve.answers import Answer, document, problem, request
from offline_bundle.serve.catalogue import Catalogue
from offline_bundle.volumes import Source

HEALTH = "/healthz"
READING = ("GET", "HEAD")
_CHALLENGE = 'Basic realm="bundle", charset="UTF-8"'


@dataclass(frozen=True)
class Site:
    """A bundle that was checked, and who may read it."""

    source: Source
    catalogue: Catalogue
    accounts: Accounts | None = None
    """None: everybody."""

    def answer(self, method: str, target: str, headers: Message) -> Answer:
        """Answer one request; never raises for anything that a client sends."""
        try:
            asked = request(target, headers)
        except InputError as error:
            return problem(400, "UNSUPPORTED", error.what)
        if asked.path == HEALTH:
            return document({"status": "ok", "bundle": self.source.identity})
        if self.accounts is not None and not self.accounts.admit(headers.get("Authorization")):
            return problem(401, "UNAUTHORIZED", "login required", {"WWW-Authenticate": _CHALLENGE})
        if method not in READING:
            message = "the bundle is read-only"
            return problem(405, "UNSUPPORTED", message, {"Allow": ", ".join(READING)})
        try:
            if asked.path == "/":
                return self._front()
            if asked.path == "/v2" or asked.path.startswith(distribution.PREFIX):
                return distribution.answer(self.source, self.catalogue, asked)
            return plain.answer(self.source, asked)
        except MlopsError:
            # what it says names folders of this machine; the caller has the log for that
            return problem(500, "UNKNOWN", "the bundle changed, or its medium was removed")

    def _front(self) -> Answer:
        contents = self.source.contents
        told = {
            "bundle": self.source.identity,
            "stack": contents.stack,
            "platform": contents.platform,
            "registry": distribution.PREFIX,
            "repositories": len(self.catalogue.repositories),
            "index": "/simple/",
            "plugins": "/plugins/",
            "health": HEALTH,
        }
        return document(told)
