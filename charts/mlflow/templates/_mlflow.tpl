{{- define "mlflow.files" -}}
prepare.py: |
  {{- .Files.Get "files/prepare.py" | trim | nindent 2 }}
# Python imports this by its name at every start.
sitecustomize.py: |
  import allowed_hosts
  {{- if not .Values.objectStore.direct }}
  import through_server
  {{- end }}
allowed_hosts.py: |
  {{- .Files.Get "files/allowed_hosts.py" | trim | nindent 2 }}
{{- if not .Values.objectStore.direct }}
through_server.py: |
  {{- .Files.Get "files/through_server.py" | trim | nindent 2 }}
{{- end }}
{{- if .Values.auth.enabled }}
auth.ini: |
  [mlflow]
  default_permission = {{ .Values.auth.defaultPermission }}
  database_uri = postgresql+psycopg2://
  authorization_function = mlflow.server.auth:authenticate_request_basic_auth
{{- end }}
{{- end }}

{{- define "mlflow.configName" -}}
{{ include "base.configName" (dict "root" . "role" "server" "data" (include "mlflow.files" .)) }}
{{- end }}

{{/*
Names a client may call the server by, each with and without a port, and networks: MLflow answers any
other with 403 while its health page stays green. files/allowed_hosts.py reads them.
*/}}
{{- define "mlflow.allowedHosts" -}}
{{- $short := .Chart.Name -}}
{{- $space := .Release.Namespace -}}
{{- $names := list $short
      (printf "%s.%s" $short $space)
      (printf "%s.%s.svc" $short $space)
      (printf "%s.%s.svc.cluster.local" $short $space)
      "localhost" "127.0.0.1" -}}
{{- $hosts := list -}}
{{- range concat $names .Values.allowedHosts -}}
{{- $hosts = append $hosts . -}}
{{- if not (contains ":" .) -}}
{{- $hosts = append $hosts (printf "%s:*" .) -}}
{{- end -}}
{{- end -}}
{{- if .Values.allowPrivateAddresses -}}
{{- $hosts = concat $hosts (list "10.0.0.0/8" "172.16.0.0/12" "192.168.0.0/16") -}}
{{- end -}}
{{- $hosts | uniq | join "," -}}
{{- end }}

{{/*
Environment of every container: where things are, what is off, and Secrets by name. The database's
address and login are libpq's own variables, so no URI holds a password.
*/}}
{{- define "mlflow.env" -}}
- {name: HOME, value: /tmp}
- {name: PYTHONDONTWRITEBYTECODE, value: "1"}
- {name: PYTHONUNBUFFERED, value: "1"}
{{ include "base.oneThreadEnv" . }}
- {name: DO_NOT_TRACK, value: "true"}
- {name: MLFLOW_DISABLE_TELEMETRY, value: "true"}
- {name: GIT_PYTHON_REFRESH, value: quiet}
{{ include "base.postgresqlEnv" (dict "root" . "application" "mlflow") }}
{{- with .Values.objectStore }}
- {name: MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE, value: {{ ternary "path" "auto" (ne .endpoint "") }}}
- {name: AWS_DEFAULT_REGION, value: "{{ .region }}"}
{{- with .endpoint }}
- {name: MLFLOW_S3_ENDPOINT_URL, value: "{{ . }}"}
{{- end }}
{{- if .secret }}
# There are keys, so boto3 need not ask a cloud's metadata service for some.
- {name: AWS_EC2_METADATA_DISABLED, value: "true"}
- name: AWS_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef: {name: "{{ .secret }}", key: accessKey}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef: {name: "{{ .secret }}", key: secretKey}
{{- end }}
{{- end }}
{{- with include "base.proxyEnv" . | trim }}
{{ . }}
{{- end }}
{{- if .Values.trustedCa.configMap }}
- {name: PGSSLROOTCERT, value: /etc/trusted-ca/ca.crt}
- {name: AWS_CA_BUNDLE, value: /etc/trusted-ca/ca.crt}
{{- end }}
{{- if .Values.auth.enabled }}
- {name: MLFLOW_AUTH_CONFIG_PATH, value: /etc/mlflow/auth.ini}
- name: MLFLOW_AUTH_ADMIN_USERNAME
  valueFrom:
    secretKeyRef: {name: "{{ .Values.auth.secret }}", key: username}
- name: MLFLOW_AUTH_ADMIN_PASSWORD
  valueFrom:
    secretKeyRef: {name: "{{ .Values.auth.secret }}", key: password}
- name: MLFLOW_FLASK_SERVER_SECRET_KEY
  valueFrom:
    secretKeyRef: {name: "{{ .Values.auth.secret }}", key: flaskSecretKey}
{{- end }}
{{- end }}

{{/* Environment of the server alone. */}}
{{- define "mlflow.serverEnv" -}}
- {name: MLFLOW_BACKEND_STORE_URI, value: "postgresql+psycopg2://"}
- {name: MLFLOW_ARTIFACTS_DESTINATION, value: "s3://{{ .Values.objectStore.bucket }}/{{ .Values.objectStore.prefix }}"}
- {name: MLFLOW_SERVE_ARTIFACTS, value: "true"}
- {name: PYTHONPATH, value: /etc/mlflow}
# Seven consumers of jobs that nothing here submits would take 1.9 GB.
- {name: MLFLOW_SERVER_ENABLE_JOB_EXECUTION, value: "false"}
- {name: MLFLOW_SERVER_ALLOWED_HOSTS, value: "{{ include "mlflow.allowedHosts" . }}"}
{{- with .Values.corsAllowedOrigins }}
- {name: MLFLOW_SERVER_CORS_ALLOWED_ORIGINS, value: "{{ join "," . }}"}
{{- end }}
{{- if .Values.metrics.enabled }}
- {name: MLFLOW_EXPOSE_PROMETHEUS, value: /tmp/metrics}
{{- end }}
{{- end }}

{{- define "mlflow.mounts" -}}
- {name: config, mountPath: /etc/mlflow, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if .Values.trustedCa.configMap }}
- {name: trusted-ca, mountPath: /etc/trusted-ca, readOnly: true}
{{- end }}
{{- end }}
