"""Brings database and bucket to what the server expects; of several replicas one works at a time.

No address, name or password stands in a URI: libpq reads them from PG* variables, so any character
is allowed in them and neither arguments nor logs show them.
"""

import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg2

URI = "postgresql+psycopg2://"
LOCK = 0x6D6C666C  # "mlfl"; advisory locks of a database are numbers that its users agree upon
PATIENCE_SECONDS = 120
USERS = Path("/run/secrets/users")


def patiently(what, action, *passing):
    """The result of `action`, tried again while it raises one of `passing`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return action()
        except passing as error:
            if time.monotonic() > deadline:
                raise
            logging.info("waiting for the %s: %s", what, str(error).strip())
            time.sleep(3)


def make_bucket(name):
    """Make the bucket of the artifacts unless it is there."""
    import boto3
    from botocore import exceptions
    from botocore.config import Config

    client = boto3.client(
        "s3",
        endpoint_url=os.environ.get("MLFLOW_S3_ENDPOINT_URL"),
        config=Config(
            s3={"addressing_style": os.environ["MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE"]},
            connect_timeout=5,
            retries={"total_max_attempts": 1},
        ),
    )

    def look():
        client.head_bucket(Bucket=name)

    try:
        patiently("object store", look, exceptions.ConnectionError, exceptions.HTTPClientError)
    except exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise SystemExit(f"the object store refuses the bucket '{name}': {error}") from error
        region = client.meta.region_name
        # The one region that S3 does not want to hear of.
        elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        client.create_bucket(Bucket=name, **({} if region == "us-east-1" else elsewhere))
        logging.info("made bucket %s", name)


def set_user(store, name, password, is_admin):
    """Make the account of a Secret exist with the password of the Secret."""
    if not store.has_user(name):
        store.create_user(name, password, is_admin=is_admin)
    elif not store.authenticate_user(name, password):
        store.update_user(name, password=password, is_admin=is_admin)


def set_users(administrator, password):
    """The administrator and all declared accounts; those of yesterday are closed."""
    from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore()
    store.init_db(URI)
    set_user(store, administrator, password, is_admin=True)
    declared = {administrator}
    for secret in sorted(USERS.glob("*")):
        name = (secret / "username").read_text()
        if name == administrator:
            raise SystemExit(f"Secret {secret.name} names the administrator")
        set_user(store, name, (secret / "password").read_text(), is_admin=False)
        declared.add(name)
    prefix = os.environ["USER_PREFIX"]
    for name in [user.username for user in store.list_users()]:
        if prefix and name.startswith(prefix) and name not in declared:
            store.delete_user(name)
            logging.info("account %s: closed", name)


def main():
    """Lock, migrate, set the accounts, make the bucket; the lock ends with the connection."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    connection = patiently("database", lambda: psycopg2.connect(""), psycopg2.OperationalError)
    connection.autocommit = True
    connection.cursor().execute("SELECT pg_advisory_lock(%s)", (LOCK,))
    if os.environ["UPGRADE_SCHEMA"] == "true":
        subprocess.run([sys.executable, "-m", "mlflow", "db", "upgrade", URI], check=True)
    if "MLFLOW_AUTH_ADMIN_USERNAME" in os.environ:
        set_users(
            os.environ["MLFLOW_AUTH_ADMIN_USERNAME"], os.environ["MLFLOW_AUTH_ADMIN_PASSWORD"]
        )
    if "BUCKET" in os.environ:
        make_bucket(os.environ["BUCKET"])
    connection.close()


main()
