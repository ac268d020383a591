{{/* The server's configuration: a person's JupyterLab, whoever starts its Pod. */}}
{{- define "jupyter.config" -}}
jupyter_server_config.py: |
  """Settings of one person's JupyterLab.

  The token is read from a file that only this Pod has: an argument or a variable would be seen in the
  list of processes and in every terminal.
  """

  import os
  import sys
  from pathlib import Path

  c = get_config()  # noqa: F821 - Jupyter brings it

  c.ServerApp.ip = "0.0.0.0"  # noqa: S104 - NetworkPolicies let in the router or the edge alone
  c.ServerApp.port = 8888
  c.ServerApp.port_retries = 0
  c.ServerApp.base_url = os.environ["NB_PREFIX"] + "/"
  c.ServerApp.root_dir = os.environ["HOME"]
  c.ServerApp.open_browser = False
  # who stands in front passes the name that the person typed, which nobody here knows
  c.ServerApp.allow_remote_access = True
  # nor may an extension's page forget to ask who is there
  c.ServerApp.allow_unauthenticated_access = False
  c.ServerApp.quit_button = False
  c.IdentityProvider.token = Path("/run/secrets/notebook/token").read_text("utf-8").strip()
  if not c.IdentityProvider.token:
      sys.exit("the token is empty, and Jupyter would let everybody in")
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
{{- end }}

{{/* Arguments of a shell would be seen in the list of processes, so all is in the file. */}}
{{- define "jupyter.command" -}}
command: [python3, -m, jupyterlab, --config=/etc/notebook/jupyter_server_config.py]
workingDir: /home/notebook
{{- end }}

{{/*
Environment of a JupyterLab beside the ConfigMap `platform`. What opens the tenant's stores is the
tenant's own, so its people may see it; the token of the notebook itself is not here.
*/}}
{{- define "jupyter.env" -}}
- {name: HOME, value: /home/notebook}
- {name: USER, value: "{{ .user.name }}"}
- {name: JUPYTER_RUNTIME_DIR, value: /tmp/jupyter}
- {name: IPYTHONDIR, value: /home/notebook/.ipython}
- {name: MPLCONFIGDIR, value: /tmp/matplotlib}
- {name: SHELL, value: /bin/sh}
- {name: CULL_KERNEL_SECONDS, value: "{{ int .root.Values.cull.kernelSeconds }}"}
- {name: CULL_TERMINAL_SECONDS, value: "{{ int .root.Values.cull.terminalSeconds }}"}
# Numeric libraries would make a thread, and its memory, for every core of the node.
- {name: OMP_NUM_THREADS, value: "1"}
- {name: OPENBLAS_NUM_THREADS, value: "1"}
- {name: DO_NOT_TRACK, value: "true"}
# MLflow looks for git, which the image does not have, and would say so in every notebook.
- {name: GIT_PYTHON_REFRESH, value: quiet}
- {name: MLFLOW_DISABLE_TELEMETRY, value: "true"}
{{- if .root.Values.trustedCa.configMap }}
- {name: AWS_CA_BUNDLE, value: /etc/trusted-ca/ca.crt}
- {name: REQUESTS_CA_BUNDLE, value: /etc/trusted-ca/ca.crt}
{{- end }}
{{ include "base.proxyEnv" .root | trim }}
{{- $logins := list
      (list "AWS_ACCESS_KEY_ID" "object-store" "accessKey")
      (list "AWS_SECRET_ACCESS_KEY" "object-store" "secretKey")
      (list "MLFLOW_TRACKING_USERNAME" "mlflow" "username")
      (list "MLFLOW_TRACKING_PASSWORD" "mlflow" "password")
      (list "MLOPS_INFRA_LINEAGE_PASSWORD" "lineage" "password")
      (list "MLOPS_INFRA_GATEWAY_TOKEN" "gateway-token" "token") }}
{{- range $logins }}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef: {name: {{ index . 1 }}, key: {{ index . 2 }}, optional: true}
{{- end }}
{{- end }}

{{/* Probes at `.path`, which answers without a token, with its version alone; a start takes minutes. */}}
{{- define "jupyter.probes" -}}
startupProbe:
  httpGet: {path: {{ .path }}/api, port: http}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 90
readinessProbe:
  httpGet: {path: {{ .path }}/api, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
# Kernels are processes of their own, so a busy one does not keep the server from answering.
livenessProbe:
  httpGet: {path: {{ .path }}/api, port: http}
  periodSeconds: 30
  timeoutSeconds: 20
  failureThreshold: 6
{{- end }}

{{/* Where the Pod has its configuration (`.config` names the ConfigMap) and the person's token. */}}
{{- define "jupyter.mounts" -}}
- {name: config, mountPath: /etc/notebook, readOnly: true}
- {name: token, mountPath: /run/secrets/notebook, readOnly: true}
{{- end }}

{{- define "jupyter.volumes" -}}
- name: config
  configMap:
    name: {{ .config }}
- name: token
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
    items:
      - {key: token, path: token}
{{- end }}

{{/* Each namespace of `users` once, with its tenant. */}}
{{- define "jupyter.namespaces" -}}
{{- $found := dict -}}
{{- range .Values.users -}}
{{- $_ := set $found .namespace .tenant -}}
{{- end -}}
{{ toJson $found }}
{{- end }}

{{/* A ConfigMap `.name` with `.files` in each namespace of `users`. */}}
{{- define "jupyter.configMaps" -}}
{{- range $namespace, $tenant := include "jupyter.namespaces" .root | fromJson }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $.name }}
  namespace: {{ $namespace }}
  labels:
    {{- include "base.labels" (dict "root" $.root "role" "notebook") | nindent 4 }}
immutable: true
data:
  {{- $.files | nindent 2 }}
{{- end }}
{{- end }}
