"""Brings the database to what the server expects; of several replicas one works, the others wait.

No address, name or password stands in a URI: libpq reads them from PG* variables, so any character
is allowed in them and neither arguments nor logs show them.
"""

import os
import subprocess
import sys
import time

import psycopg2

URI = "postgresql+psycopg2://"
LOCK = 0x6D6C666C  # "mlfl"; advisory locks of a database are numbers that its users agree upon
PATIENCE_SECONDS = 120


def connect():
    """A connection to the database, waited for while it comes up."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return psycopg2.connect("")
        except psycopg2.OperationalError as error:
            if time.monotonic() > deadline:
                raise
            print(f"waiting for the database: {str(error).strip()}", flush=True)
            time.sleep(3)


def set_administrator(name, password):
    """Make the administrator of the Secret exist with the password of the Secret."""
    from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore()
    store.init_db(URI)
    if not store.has_user(name):
        store.create_user(name, password, is_admin=True)
    elif not store.authenticate_user(name, password):
        store.update_user(name, password=password, is_admin=True)


def main():
    """Lock, migrate, set the administrator; the lock ends with the connection."""
    connection = connect()
    connection.autocommit = True
    connection.cursor().execute("SELECT pg_advisory_lock(%s)", (LOCK,))
    if os.environ["UPGRADE_SCHEMA"] == "true":
        subprocess.run([sys.executable, "-m", "mlflow", "db", "upgrade", URI], check=True)
    if "MLFLOW_AUTH_ADMIN_USERNAME" in os.environ:
        set_administrator(
            os.environ["MLFLOW_AUTH_ADMIN_USERNAME"], os.environ["MLFLOW_AUTH_ADMIN_PASSWORD"]
        )
    connection.close()


main()
