{{/* The declared models: what triggers, drift and batch jobs read. */}}
{{- define "lifecycle.models" -}}
models.json: |
  {{- dict "models" .Values.models | toPrettyJson | nindent 2 }}
{{- end }}

{{- define "lifecycle.modelsName" -}}
{{ include "base.configName" (dict "root" . "role" "models" "data" (include "lifecycle.models" .)) }}
{{- end }}

{{/* What triggers and jobs read beside the stores: tracking, buckets, models, metrics. */}}
{{- define "lifecycle.jobEnv" -}}
{{ include "lifecycle.env" . | trim }}
- {name: PYTHONDONTWRITEBYTECODE, value: "1"}
- {name: DO_NOT_TRACK, value: "1"}
- {name: MLFLOW_DISABLE_TELEMETRY, value: "true"}
- {name: MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD, value: "false"}
- {name: MLOPS_INFRA_MODELS, value: /etc/lifecycle/models.json}
- {name: MLOPS_INFRA_RUNTIME_IMAGE, value: "{{ .Values.images.runtime }}"}
- {name: MLOPS_INFRA_LINEAGE, value: "{{ include "lifecycle.keyValueUrl" . }}"}
- name: MLOPS_INFRA_LINEAGE_PASSWORD
  valueFrom:
    secretKeyRef: {name: "{{ .Values.keyValue.secret }}", key: password}
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
{{- with .Values.objectStore }}
- {name: AWS_ENDPOINT_URL_S3, value: "{{ .endpoint }}"}
- {name: AWS_DEFAULT_REGION, value: "{{ .region }}"}
# There are keys, so boto3 need not ask a cloud's metadata service for some.
- {name: AWS_EC2_METADATA_DISABLED, value: "true"}
{{- range $variable, $key := dict "AWS_ACCESS_KEY_ID" "accessKey" "AWS_SECRET_ACCESS_KEY" "secretKey" }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef: {name: "{{ $.Values.objectStore.secret }}", key: {{ $key }}}
{{- end }}
{{- end }}
{{- if .Values.trustedCa.configMap }}
- {name: AWS_CA_BUNDLE, value: /etc/trusted-ca/ca.crt}
- {name: REQUESTS_CA_BUNDLE, value: /etc/trusted-ca/ca.crt}
{{- end }}
{{- end }}

{{- define "lifecycle.jobMounts" -}}
{{ include "lifecycle.mounts" . | trim }}
- {name: models, mountPath: /etc/lifecycle, readOnly: true}
{{- end }}

{{- define "lifecycle.jobVolumes" -}}
{{ include "lifecycle.volumes" . | trim }}
- name: models
  configMap:
    name: {{ include "lifecycle.modelsName" . }}
{{- end }}

{{/*
A CronJob of the platform: `.name`, `.schedule`, `.command` (a list). Two of one name never run at
once; what a run does not finish, the next one does.
*/}}
{{- define "lifecycle.cronJob" -}}
{{- $root := .root -}}
apiVersion: batch/v1
kind: CronJob
metadata:
  {{- include "base.metadata" (dict "root" $root "role" "job" "name" .name) | nindent 2 }}
spec:
  schedule: {{ .schedule | quote }}
  suspend: {{ $root.Values.jobs.suspend }}
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 600
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: 2
  jobTemplate:
    metadata:
      labels:
        {{- include "base.labels" (dict "root" $root "role" "job") | nindent 8 }}
    spec:
      backoffLimit: 2
      activeDeadlineSeconds: {{ int64 $root.Values.jobs.deadlineSeconds }}
      template:
        metadata:
          labels:
            {{- include "base.podLabels" (dict "root" $root "role" "job") | nindent 12 }}
          {{- with $root.Values.podAnnotations }}
          annotations:
            {{- toYaml . | nindent 12 }}
          {{- end }}
        spec:
          restartPolicy: Never
          {{- include "base.pod" (dict "root" $root) | nindent 10 }}
          containers:
            - name: job
              {{- include "base.container" (dict "root" $root "image" "runtime") | nindent 14 }}
              command:
                {{- toYaml .command | nindent 16 }}
              workingDir: /tmp
              env:
                {{- include "lifecycle.jobEnv" $root | trim | nindent 16 }}
              resources:
                {{- toYaml $root.Values.jobs.resources | nindent 16 }}
              volumeMounts:
                {{- include "lifecycle.jobMounts" $root | trim | nindent 16 }}
          volumes:
            {{- include "lifecycle.jobVolumes" $root | trim | nindent 12 }}
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
