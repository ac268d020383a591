"""HTTP as registries, package indexes, archives and plugins are reached: one way for all of them.

::

    proxies     which proxy, by Go's rules of NO_PROXY
    trust       the system's authorities and the site's
    logins      names and passwords of URLs and of netrc
    pool        connections; reply is what comes back on one
    client      GETs with redirects and logins
    challenges  the grammar of WWW-Authenticate
    retrying    whether and when to ask again
"""

from mlops_infra.transport.client import Client, Document
from mlops_infra.transport.errors import TROUBLE, HttpError
from mlops_infra.transport.logins import Login, Logins
from mlops_infra.transport.origin import Origin, bare
from mlops_infra.transport.pool import Body, Pool, Streamed
from mlops_infra.transport.reply import Reply

__all__ = [
    "TROUBLE",
    "Body",
    "Client",
    "Document",
    "HttpError",
    "Login",
    "Logins",
    "Origin",
    "Pool",
    "Reply",
    "Streamed",
    "bare",
]
