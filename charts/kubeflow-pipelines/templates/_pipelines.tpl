{{/* Address of the object store, `host:port`. */}}
{{- define "pipelines.storeAddress" -}}
{{ .Values.objectStore.host }}:{{ .Values.objectStore.port }}
{{- end }}

{{/*
The API server's own settings. Upstream's image brings a file that sends every run to an MLflow of
another product; this one names ours, or none. No samples are loaded: they would pull foreign images.
*/}}
{{- define "pipelines.apiFiles" -}}
config.json: |
  {{- $mysql := dict "GroupConcatMaxLen" "4194304" "ExtraParams" (dict) "DBName" .Values.database.name -}}
  {{- $config := dict
        "DBConfig" (dict "MySQLConfig" $mysql "PostgreSQLConfig" (dict "DBName" .Values.database.name) "ConMaxLifeTime" "120s")
        "DBDriverName" "mysql"
        "ObjectStoreConfig" (dict "BucketName" .Values.objectStore.bucket "PipelinePath" "pipelines")
        "ARCHIVE_CONFIG_LOG_FILE_NAME" "main.log"
        "ARCHIVE_CONFIG_LOG_PATH_PREFIX" "/artifacts"
        "InitConnectionTimeout" "6m"
        "DEFAULTPIPELINERUNNERSERVICEACCOUNT" .Values.runner.account
        "CacheEnabled" (toString .Values.cache) -}}
  {{- if .Values.mlflow.endpoint }}
  {{- $settings := dict "authType" (ternary "basic-auth" "none" (ne .Values.mlflow.secret "")) "defaultExperimentName" .Values.mlflow.experiment "injectUserEnvVars" true -}}
  {{- if .Values.mlflow.secret }}
  {{- $_ := set $settings "credentialSecretRef" (dict "usernameKey" "username" "passwordKey" "password") -}}
  {{- end }}
  {{- $_ := set $config "plugins" (dict "mlflow" (dict "endpoint" .Values.mlflow.endpoint "timeout" "15s" "settings" $settings)) -}}
  {{- end }}
  {{- toPrettyJson $config | nindent 2 }}
sample_config.json: |
  {"pipelines": [], "loadSamplesOnRestart": false}
{{- end }}

{{- define "pipelines.envoyFiles" -}}
envoy.yaml: |
  {{- tpl (.Files.Get "files/envoy.yaml") . | trim | nindent 2 }}
{{- end }}

{{- define "pipelines.uiFiles" -}}
viewer-pod-template.json: |
  {"spec": {"serviceAccountName": "ml-pipeline-ui"}}
{{- end }}

{{- define "pipelines.mysqlFiles" -}}
databases.sh: |
  {{- .Files.Get "files/databases.sh" | trim | nindent 2 }}
{{- end }}

{{- define "pipelines.metadataFiles" -}}
prepare.sh: |
  {{- .Files.Get "files/metadata.sh" | trim | nindent 2 }}
{{- end }}

{{/* Name of a role's ConfigMap; (dict "root" . "role" R "files" DEFINE). */}}
{{- define "pipelines.configName" -}}
{{ include "base.configName" (dict "root" .root "role" .role "data" (include .files .root)) }}
{{- end }}

{{/* One ConfigMap; arguments as above. */}}
{{- define "pipelines.config" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "base.metadata" (dict "root" .root "role" .role "name" (include "pipelines.configName" .)) | nindent 2 }}
immutable: true
data:
  {{- include .files .root | nindent 2 }}
{{- end }}

{{/* A token that the API server takes from the controllers, made for it alone. */}}
{{- define "pipelines.tokenVolume" -}}
- name: api-token
  projected:
    sources:
      - serviceAccountToken:
          audience: pipelines.kubeflow.org
          expirationSeconds: 3600
          path: {{ . }}
{{- end }}

{{- define "pipelines.runLabels" -}}
pipelines.kubeflow.org/v2_component: "true"
{{- end }}

{{/* The Pods of the runs as peers; the caller goes on with ports. */}}
{{- define "pipelines.fromRuns" -}}
- from:
    - podSelector:
        matchLabels:
          {{- include "pipelines.runLabels" . | nindent 10 }}
  ports:
{{- end }}
