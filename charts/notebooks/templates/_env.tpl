{{/*
Environment of a JupyterLab beside the ConfigMap `platform`. What opens the tenant's stores is the
tenant's own, so its people may see it; the token of the notebook itself is not here.
*/}}
{{- define "notebooks.env" -}}
- {name: NB_PREFIX, value: /notebook/{{ .user.tenant }}/{{ .user.name }}}
- {name: HOME, value: /home/notebook}
- {name: USER, value: "{{ .user.name }}"}
- {name: PATH, value: "/home/notebook/.local/bin:/usr/local/bin:/usr/bin"}
- {name: PIP_CONFIG_FILE, value: /etc/notebook/pip.conf}
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
