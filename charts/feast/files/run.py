"""Runs one of Feast's programs on a repository put together here: serve, apply or materialize.

A ConfigMap is a folder of links into `..data`, and Feast imports every Python file below its
repository, so the files are copied to where it shall look. The configuration names environment
variables, which Feast puts in before it reads the YAML: each is quoted here as JSON, which is YAML,
so that no letter of a password changes what the text means.
"""

import datetime
import json
import logging
import os
import shutil
import sys
import time
from pathlib import Path

import psycopg

REPOSITORY = Path("/tmp/repository")  # noqa: S108 - a volume of this Pod alone
SOURCES = (Path("/etc/feast/definitions"), Path("/etc/feast/site"))
LOCK = 0x66656173  # "feas"; advisory locks of a database are numbers that its users agree upon
PATIENCE_SECONDS = 600
MARK = "CREATE TABLE IF NOT EXISTS mlops_infra_applied (name text PRIMARY KEY, at timestamptz)"
WRITING = ("/push", "/write-to-online-store", "/materialize", "/materialize-incremental")
TALKING = ("/chat", "/ws/chat")  # a demonstration that answers with fixed text

CONFIGURATION = """\
project: ${FEAST_PROJECT}
provider: local
entity_key_serialization_version: 3
registry:
  registry_type: sql
  path: postgresql+psycopg://
  cache_ttl_seconds: 60
  sqlalchemy_config_kwargs: {pool_pre_ping: true}
online_store:
  type: redis
  connection_string: ${FEAST_ONLINE}
offline_store:
  type: postgres
  host: ${FEAST_PGHOST}
  port: ${FEAST_PGPORT}
  database: ${FEAST_PGDATABASE}
  db_schema: public
  user: ${FEAST_PGUSER}
  password: ${FEAST_PGPASSWORD}
  sslmode: ${FEAST_PGSSLMODE}
  sslrootcert_path: ${FEAST_PGSSLROOTCERT}
auth:
  type: no_auth
"""


def lay_out():
    """Put the repository together."""
    shutil.rmtree(REPOSITORY, ignore_errors=True)
    REPOSITORY.mkdir(parents=True)
    for folder in SOURCES:
        for file in sorted(folder.glob("*.py")) if folder.is_dir() else ():
            shutil.copyfile(file, REPOSITORY / file.name)
    (REPOSITORY / "feature_store.yaml").write_text(CONFIGURATION)
    for name in ("PGHOST", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSSLMODE", "PGSSLROOTCERT"):
        os.environ[f"FEAST_{name}"] = json.dumps(os.environ.get(name) or None)
    os.environ["FEAST_PGPORT"] = os.environ["PGPORT"]
    os.environ["FEAST_ONLINE"] = json.dumps(online())


def online():
    """The online store in the form that Feast takes apart at its commas."""
    parts = [os.environ["ONLINE_ADDRESS"], f"db={os.environ['ONLINE_DATABASE']}"]
    if os.environ["ONLINE_TLS"] == "true":
        parts.append("ssl=true")
        if "PGSSLROOTCERT" in os.environ:
            parts.append(f"ssl_ca_certs={os.environ['PGSSLROOTCERT']}")
    if password := os.environ.get("ONLINE_PASSWORD"):
        if "," in password:
            raise SystemExit("The password of the online store has a comma: Feast cannot read it.")
        # as JSON, or a password of digits would be taken for a number
        parts.append(f"password={json.dumps(password)}")
    return ",".join(parts)


def connection():
    """A connection to the database, which may still be on its way."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return psycopg.connect("", autocommit=True)
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise
            logging.info("waiting for the database: %s", str(error).strip())
            time.sleep(3)


def feast(*words):
    """Feast's own command line, in this process."""
    from feast.cli.cli import cli

    cli.main(["--chdir", str(REPOSITORY), *words], standalone_mode=False)


def materialize():
    """Copy what is new to the online store."""
    now = datetime.datetime.now(datetime.UTC)
    feast("materialize-incremental", now.strftime("%Y-%m-%dT%H:%M:%S"))


def apply():
    """Bring registry and online store to what the repository says, one Pod at a time."""
    with connection() as database:
        database.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        database.execute(MARK)
        example = Path("/etc/feast/definitions/demo.sql")
        if example.is_file():
            database.execute(example.read_text())
        feast("apply")
        materialize()
        database.execute(
            "INSERT INTO mlops_infra_applied VALUES (%s, now()) "
            "ON CONFLICT (name) DO UPDATE SET at = now()",
            (os.environ["APPLY_REVISION"],),
        )


def wait_for_apply():
    """A server is only of use once its repository is applied; the Job does that meanwhile."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with connection() as database:
        while True:
            there = database.execute("SELECT to_regclass('mlops_infra_applied')").fetchone()[0]
            mark = "SELECT 1 FROM mlops_infra_applied WHERE name = %s"
            if there and database.execute(mark, (os.environ["APPLY_REVISION"],)).fetchone():
                return
            if time.monotonic() > deadline:
                raise SystemExit("The Job that applies the repository has not ended: see its log.")
            logging.info("waiting for the repository to be applied")
            time.sleep(3)


def serve():
    """The feature server, with its requests checked, and the history that training reads."""
    wait_for_apply()
    import checks
    import history
    from feast import feature_server

    upstream = feature_server.get_app

    def app(store, *rest, **named):
        made = upstream(store, *rest, **named)
        closed = TALKING if os.environ["WRITABLE"] == "true" else (*WRITING, *TALKING)
        routes = made.router.routes
        routes[:] = [route for route in routes if getattr(route, "path", "") not in closed]
        checks.add(made, store)
        history.add(made, store)
        return made

    feature_server.get_app = app
    where = ["--host", "0.0.0.0", "--port", "6566"]  # noqa: S104 - a Pod's own address
    words = ["--workers", os.environ["WORKERS"], "--no-access-log", "--registry_ttl_sec", "60"]
    feast("serve", *where, *words)


def main():
    """Do what the one argument names."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.path.insert(0, "/etc/feast/program")
    lay_out()
    {"serve": serve, "apply": apply, "materialize": materialize}[sys.argv[1]]()


if __name__ == "__main__":
    main()
