"""Settings of one person's JupyterLab.

The token is read from a file that only this Pod has: an argument or a variable would be seen in the
list of processes and in every terminal.
"""

import os
from pathlib import Path

c = get_config()  # noqa: F821 - Jupyter brings it

c.ServerApp.ip = "0.0.0.0"  # noqa: S104 - the NetworkPolicy lets in the router alone
c.ServerApp.port = 8888
c.ServerApp.port_retries = 0
c.ServerApp.base_url = os.environ["NB_PREFIX"] + "/"
c.ServerApp.root_dir = os.environ["HOME"]
c.ServerApp.open_browser = False
# the router passes the name that the person typed, which nobody here knows
c.ServerApp.allow_remote_access = True
c.ServerApp.quit_button = False
c.IdentityProvider.token = Path("/run/secrets/notebook/token").read_text("utf-8").strip()
c.PasswordIdentityProvider.allow_password_change = False

c.ServerApp.terminals_enabled = True
c.ServerApp.terminado_settings = {"shell_command": ["/bin/sh"]}

c.MappingKernelManager.cull_idle_timeout = int(os.environ["CULL_KERNEL_SECONDS"])
c.MappingKernelManager.cull_interval = 60
# a browser tab that is merely open keeps nothing alive; a cell that runs does
c.MappingKernelManager.cull_connected = True
c.TerminalManager.cull_inactive_timeout = int(os.environ["CULL_TERMINAL_SECONDS"])
c.TerminalManager.cull_interval = 60

# JupyterLab would ask its makers for news, updates and the list of extensions.
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
c.LabServerApp.allowed_extensions_uris = ""
