{{- define "airflow.files" -}}
passwords.py: |
  {{- .Files.Get "files/passwords.py" | trim | nindent 2 }}
{{- end }}

{{- define "airflow.configName" -}}
{{ include "base.configName" (dict "root" . "role" "server" "data" (include "airflow.files" .)) }}
{{- end }}

{{/*
Environment of every container. The database's address and login are libpq's own variables, so no URI
holds a password; the key that encrypts connections is made from a Secret of 32 letters and digits.
*/}}
{{- define "airflow.env" -}}
- {name: HOME, value: /run/airflow}
- {name: AIRFLOW_HOME, value: /run/airflow}
- {name: AIRFLOW__CORE__EXECUTOR, value: LocalExecutor}
- {name: AIRFLOW__CORE__PARALLELISM, value: "{{ .Values.parallelism }}"}
- {name: AIRFLOW__CORE__LOAD_EXAMPLES, value: "False"}
- {name: AIRFLOW__CORE__DAGS_FOLDER, value: {{ ternary "/dags" "/opt/airflow/dags" (ne .Values.dags.configMap "") }}}
- {name: AIRFLOW__CORE__EXECUTION_API_SERVER_URL, value: "http://airflow.{{ .Release.Namespace }}.svc:8080/execution/"}
- {name: AIRFLOW__CORE__FERNET_KEY_CMD, value: "sh -c 'head -c 32 /run/secrets/airflow/fernetKey | base64'"}
- {name: AIRFLOW__CORE__DEFAULT_TIMEZONE, value: "{{ .Values.timezone }}"}
- {name: AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS, value: "{{ .Values.auth.username }}:admin"}
- name: AIRFLOW__API__SECRET_KEY
  valueFrom:
    secretKeyRef: {name: "{{ .Values.auth.secret }}", key: apiSecretKey}
- name: AIRFLOW__API_AUTH__JWT_SECRET
  valueFrom:
    secretKeyRef: {name: "{{ .Values.auth.secret }}", key: jwtSecret}
{{- with .Values.baseUrl }}
- {name: AIRFLOW__API__BASE_URL, value: "{{ . }}"}
{{- end }}
- {name: AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK, value: "True"}
- {name: AIRFLOW__DATABASE__SQL_ALCHEMY_CONN, value: "postgresql+psycopg2://"}
{{ include "base.postgresqlEnv" (dict "root" . "application" "airflow") }}
# Logs of tasks go to the object store: the Pod that wrote them may be gone when somebody looks.
- {name: AIRFLOW__LOGGING__BASE_LOG_FOLDER, value: /run/airflow/logs}
- {name: AIRFLOW__LOGGING__REMOTE_LOGGING, value: "True"}
- {name: AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER, value: "s3://{{ .Values.objectStore.bucket }}/{{ .Values.objectStore.prefix }}"}
- {name: AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID, value: platform_s3}
- {name: AIRFLOW_CONN_PLATFORM_S3, value: "aws://"}
- {name: AWS_DEFAULT_REGION, value: "{{ .Values.objectStore.region }}"}
{{- with .Values.objectStore.endpoint }}
- {name: AWS_ENDPOINT_URL_S3, value: "{{ . }}"}
{{- end }}
- {name: AWS_EC2_METADATA_DISABLED, value: "true"}
- name: AWS_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef: {name: "{{ .Values.objectStore.secret }}", key: accessKey}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef: {name: "{{ .Values.objectStore.secret }}", key: secretKey}
{{- with .Values.mlflow }}
- {name: MLFLOW_TRACKING_URI, value: "{{ . }}"}
{{- end }}
{{- if .Values.trustedCa.configMap }}
- {name: PGSSLROOTCERT, value: /etc/trusted-ca/ca.crt}
- {name: AWS_CA_BUNDLE, value: /etc/trusted-ca/ca.crt}
{{- end }}
{{ include "base.proxyEnv" . }}
{{- end }}

{{- define "airflow.mounts" -}}
- {name: run, mountPath: /run/airflow}
- {name: tmp, mountPath: /tmp}
- {name: auth, mountPath: /run/secrets/airflow, readOnly: true}
{{- if .Values.dags.configMap }}
- {name: dags, mountPath: /dags, readOnly: true}
{{- end }}
{{- include "base.caMount" . }}
{{- end }}

{{- define "airflow.volumes" -}}
- name: config
  configMap:
    name: {{ include "airflow.configName" . }}
- name: auth
  secret:
    secretName: {{ .Values.auth.secret }}
    defaultMode: 0440
{{- with .Values.dags.configMap }}
- name: dags
  configMap:
    name: {{ . }}
{{- end }}
- name: run
  emptyDir: {}
- name: tmp
  emptyDir: {}
{{- include "base.caVolume" . }}
{{- end }}

{{/* A container that runs one of Airflow's commands: (dict "root" "name" "args" "settings"
"serves"). */}}
{{- define "airflow.container" -}}
name: {{ .name }}
{{ include "base.container" (dict "root" .root "image" "airflow") }}
command: [airflow]
args: {{ toJson .args }}
env:
  {{- include "airflow.env" .root | trim | nindent 2 }}
  {{- if .serves }}
  - {name: AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE, value: /run/airflow/passwords.json}
  {{- end }}
{{ include "workload.resources" . }}
volumeMounts:
  {{- include "airflow.mounts" .root | nindent 2 }}
{{- end }}

{{/* The Pod of the Job that makes or changes the tables; apart, because its hash names the Job. */}}
{{- define "airflow.jobPod" -}}
metadata:
  labels:
    {{- include "base.podLabels" (dict "root" . "role" "migrate") | nindent 4 }}
spec:
  restartPolicy: OnFailure
  {{- include "base.pod" (dict "root" .) | nindent 2 }}
  containers:
    - {{ include "airflow.container" (dict "root" . "name" "migrate" "args" (list "db" "migrate")) | nindent 6 | trim }}
  volumes:
    {{- include "airflow.volumes" . | nindent 4 }}
{{- end }}
