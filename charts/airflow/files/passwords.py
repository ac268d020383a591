"""Writes who may sign in, in the form that Airflow's own sign-in reads."""

import json
import os
from pathlib import Path

secret = Path("/run/secrets/airflow")
name = (secret / "username").read_text().strip()
password = (secret / "password").read_text().strip()
target = Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
os.umask(0o077)
target.write_text(json.dumps({name: password}))
