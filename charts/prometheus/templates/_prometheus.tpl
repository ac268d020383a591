{{/* Rules with the thresholds put in; `@name@` since `{{ }}` is Prometheus' own. */}}
{{- define "prometheus.rules" -}}
{{- $text := .root.Files.Get .file | trim -}}
{{- range $name, $value := .root.Values.thresholds -}}
{{- $text = replace (printf "@%s@" $name) (toString $value) $text -}}
{{- end -}}
{{ $text }}
{{- end }}

{{/* One alert for each component that must be there. */}}
{{- define "prometheus.expected" -}}
groups:
  - name: expected
    rules:
      {{- range .Values.expected }}
      - alert: ComponentDown
        expr: absent(up{component={{ . | quote }}} == 1)
        for: 2m
        labels: {severity: critical, component: {{ . }}}
        annotations:
          summary: "no Pod of {{ . }} answers"
          hint: mlops-infra status -s STACK
      {{- else }} []
      {{- end }}
{{- end }}

{{/* When certificates end is known to who makes them; Prometheus may read no Secret. */}}
{{- define "prometheus.certificates" -}}
groups:
  - name: certificates
    rules:
      {{- range .Values.certificates }}
      - record: mlops_infra_certificate_expiry_seconds
        expr: vector({{ .ends }})
        labels: {namespace: {{ .namespace }}, secret: {{ .secret }}}
      {{- else }} []
      {{- end }}
{{- end }}

{{- define "prometheus.files" -}}
prometheus.yml: |
  {{- include "prometheus.config" . | nindent 2 }}
platform.yml: |
  {{- include "prometheus.rules" (dict "root" . "file" "files/platform.yml") | nindent 2 }}
models.yml: |
  {{- include "prometheus.rules" (dict "root" . "file" "files/models.yml") | nindent 2 }}
expected.yml: |
  {{- include "prometheus.expected" . | nindent 2 }}
certificates.yml: |
  {{- include "prometheus.certificates" . | nindent 2 }}
{{- end }}

{{- define "prometheus.configName" -}}
{{ include "base.configName" (dict "root" . "role" "server" "data" (include "prometheus.files" .)) }}
{{- end }}

{{- define "alertmanager.configName" -}}
{{ include "base.configName" (dict "root" . "role" "alertmanager" "data" (include "alertmanager.config" .)) }}
{{- end }}

{{/* A volume of a StatefulSet; `.role` and `.size`. Its fields are immutable, so are its labels. */}}
{{- define "prometheus.claim" -}}
metadata:
  name: data
  labels:
    {{- include "base.lasting" (dict "root" .root "role" .role) | nindent 4 }}
spec:
  accessModes: [ReadWriteOnce]
  {{- with .root.Values.persistence.storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .size }}
{{- end }}
