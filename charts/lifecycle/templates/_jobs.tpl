{{/* Some declared models, `.models`, as the file that triggers and jobs read. */}}
{{- define "lifecycle.models" -}}
models.json: |
  {{- dict "models" .models | toPrettyJson | nindent 2 }}
{{- end }}

{{- define "lifecycle.modelsName" -}}
{{ include "base.configName" (dict "root" .root "role" "models" "data" (include "lifecycle.models" .)) }}
{{- end }}

{{- define "lifecycle.modelsConfig" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "base.metadata" (dict "root" .root "role" .role "in" .in "name" (include "lifecycle.modelsName" .)) | nindent 2 }}
immutable: true
data:
  {{- include "lifecycle.models" . | trim | nindent 2 }}
{{- end }}

{{- define "lifecycle.modelsMount" -}}
- {name: models, mountPath: /etc/lifecycle, readOnly: true}
{{- end }}

{{- define "lifecycle.modelsVolume" -}}
- name: models
  configMap:
    name: {{ include "lifecycle.modelsName" . }}
{{- end }}

{{/* The declared models of one tenant, `.tenant` of `tenants`: {"models": […]} as JSON. */}}
{{- define "lifecycle.modelsOf" -}}
{{- $found := list -}}
{{- range .root.Values.models -}}
{{- if eq .tenant $.tenant.name }}{{ $found = append $found . }}{{ end -}}
{{- end -}}
{{ dict "models" $found | toJson }}
{{- end }}

{{/* What programs that speak to MLflow and to S3 read. */}}
{{- define "lifecycle.clientEnv" -}}
- {name: PYTHONDONTWRITEBYTECODE, value: "1"}
- {name: DO_NOT_TRACK, value: "1"}
- {name: MLFLOW_DISABLE_TELEMETRY, value: "true"}
- {name: MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD, value: "false"}
- {name: MLOPS_INFRA_MODELS, value: /etc/lifecycle/models.json}
# There are keys, so boto3 need not ask a cloud's metadata service for some.
- {name: AWS_EC2_METADATA_DISABLED, value: "true"}
{{- if .Values.trustedCa.configMap }}
- {name: AWS_CA_BUNDLE, value: /etc/trusted-ca/ca.crt}
- {name: REQUESTS_CA_BUNDLE, value: /etc/trusted-ca/ca.crt}
{{- end }}
{{- end }}

{{/* What triggers read beside the stores: tracking, buckets, models, metrics. */}}
{{- define "lifecycle.triggersEnv" -}}
{{ include "lifecycle.env" . | trim }}
{{ include "lifecycle.clientEnv" . | trim }}
- {name: MLOPS_INFRA_RUNTIME_IMAGE, value: "{{ .Values.images.runtime }}"}
{{- with .Values.tracking.uri }}
- {name: MLFLOW_TRACKING_URI, value: "{{ . }}"}
{{- end }}
{{- if .Values.tracking.secret }}
{{- range $variable, $key := dict "MLFLOW_TRACKING_USERNAME" "username" "MLFLOW_TRACKING_PASSWORD" "password" }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef: {name: "{{ $.Values.tracking.secret }}", key: {{ $key }}}
{{- end }}
{{- end }}
{{- with .Values.prometheus }}
- {name: MLOPS_INFRA_PROMETHEUS, value: "{{ . }}"}
{{- end }}
{{- with .Values.pipelines }}
- {name: MLOPS_INFRA_PIPELINES, value: "{{ . }}"}
{{- end }}
{{- with .Values.objectStore }}
- {name: AWS_ENDPOINT_URL_S3, value: "{{ .endpoint }}"}
- {name: AWS_DEFAULT_REGION, value: "{{ .region }}"}
{{- range $variable, $key := dict "AWS_ACCESS_KEY_ID" "accessKey" "AWS_SECRET_ACCESS_KEY" "secretKey" }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef: {name: "{{ $.Values.objectStore.secret }}", key: {{ $key }}}
{{- end }}
{{- end }}
{{- end }}

{{/*
What a job in a tenant's namespace reads beside ConfigMap `platform` of that namespace: the tenant's
own accounts, by the names that the plan gives their Secrets, and nothing of the platform's.
*/}}
{{- define "lifecycle.jobEnv" -}}
- {name: HOME, value: /tmp}
{{ include "base.oneThreadEnv" . }}
{{ include "base.postgresqlEnv" (dict "root" . "application" "lifecycle-job") }}
{{- if .Values.trustedCa.configMap }}
- {name: PGSSLROOTCERT, value: /etc/trusted-ca/ca.crt}
{{- end }}
{{ include "lifecycle.clientEnv" . | trim }}
{{- range list
  (list "AWS_ACCESS_KEY_ID" "object-store" "accessKey" false)
  (list "AWS_SECRET_ACCESS_KEY" "object-store" "secretKey" false)
  (list "MLOPS_INFRA_GATEWAY_TOKEN" "gateway-token" "token" false)
  (list "MLOPS_INFRA_LINEAGE_PASSWORD" "lineage" "password" true)
  (list "MLFLOW_TRACKING_USERNAME" "mlflow" "username" true)
  (list "MLFLOW_TRACKING_PASSWORD" "mlflow" "password" true)
}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef: {name: {{ index . 1 }}, key: {{ index . 2 }}{{ if index . 3 }}, optional: true{{ end }}}
{{- end }}
{{- end }}

{{/*
A CronJob in the namespace of `.tenant`, an entry of `tenants`: `.name`, `.schedule`, `.command` (a
list). Its Pods load what the tenant made, so they have the tenant's accounts, quota and walls. Two
of one name never run at once; what a run does not finish, the next one does. `.template`: it never
runs by itself; Jobs are made from it, which are not tried again and are deleted after an hour.
*/}}
{{- define "lifecycle.cronJob" -}}
{{- $root := .root -}}
{{- $models := include "lifecycle.modelsOf" . | fromJson -}}
{{- $labels := dict "root" $root "role" "job" -}}
apiVersion: batch/v1
kind: CronJob
metadata:
  {{- include "base.metadata" (merge (dict "in" .tenant.namespace "name" .name) $labels) | nindent 2 }}
spec:
  schedule: {{ .schedule | quote }}
  suspend: {{ or .template $root.Values.jobs.suspend }}
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 600
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: 2
  jobTemplate:
    metadata:
      labels:
        {{- include "base.labels" $labels | nindent 8 }}
    spec:
      backoffLimit: {{ ternary 0 2 (.template | default false) }}
      {{- if .template }}
      ttlSecondsAfterFinished: 3600
      {{- end }}
      activeDeadlineSeconds: {{ int64 $root.Values.jobs.deadlineSeconds }}
      template:
        metadata:
          labels:
            {{- include "base.podLabels" $labels | nindent 12 }}
            mlops-infra.dev/tenant: {{ .tenant.name }}
          {{- with $root.Values.podAnnotations }}
          annotations:
            {{- toYaml . | nindent 12 }}
          {{- end }}
        spec:
          restartPolicy: Never
          {{- include "base.pod" (dict "root" $root "account" (include "lifecycle.jobAccount" .)) | nindent 10 }}
          containers:
            - name: job
              {{- include "base.container" (dict "root" $root "image" "runtime") | nindent 14 }}
              command:
                {{- toYaml .command | nindent 16 }}
              workingDir: /tmp
              envFrom:
                - configMapRef: {name: platform}
              env:
                {{- include "lifecycle.jobEnv" $root | trim | nindent 16 }}
              resources:
                {{- toYaml $root.Values.jobs.resources | nindent 16 }}
              volumeMounts:
                {{- include "lifecycle.mounts" $root | trim | nindent 16 }}
                {{- include "lifecycle.modelsMount" . | nindent 16 }}
          volumes:
            {{- include "lifecycle.volumes" $root | trim | nindent 12 }}
            {{- include "lifecycle.modelsVolume" (merge (dict "root" $root) $models) | nindent 12 }}
{{- end }}

{{/* ServiceAccount of the jobs in a tenant's namespace; it may do nothing. */}}
{{- define "lifecycle.jobAccount" -}}
lifecycle-job
{{- end }}

{{/* Name of a CronJob: at most 52 letters, since Kubernetes puts a time behind it; told apart by a hash. */}}
{{- define "lifecycle.jobName" -}}
{{- $whole := join "-" . -}}
{{- if gt (len $whole) 43 -}}
{{ trunc 43 $whole | trimSuffix "-" }}-{{ join "/" . | sha256sum | trunc 8 }}
{{- else -}}
{{ $whole }}-{{ join "/" . | sha256sum | trunc 8 }}
{{- end -}}
{{- end }}
