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
  {{- /* Steps know MLflow by the tenant's `platform`: a Pod with a variable twice is refused. The
         login is the tenant's own, which its kfp-launcher names. */ -}}
  {{- $settings := dict "authType" (ternary "basic-auth" "none" .Values.mlflow.login) "defaultExperimentName" .Values.mlflow.experiment "injectUserEnvVars" false -}}
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

{{/* What an account may do in a tenant, whose chart binds it: a ClusterRole of `.name` with `.rules`. */}}
{{- define "pipelines.tenantRole" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ .name }}
  labels:
    {{- include "base.labels" . | nindent 4 }}
rules:
  {{- .rules | trim | nindent 2 }}
{{- end }}

{{/* The Pods of runs, which are in the tenants' namespaces, to `.ports`. */}}
{{- define "pipelines.fromTenants" -}}
{{- include "base.ingress" (dict "root" .root "clients" .root.Values.networkPolicy.tenants "ports" .ports "internal" true) -}}
{{- end }}
