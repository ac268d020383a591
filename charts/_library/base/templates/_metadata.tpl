{{/* Names and labels of objects. */}}

{{/* Labels that select the Pods of one role; never changed, since selectors are immutable. */}}
{{- define "base.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{/* Labels that stay the same over upgrades; for volume claim templates, which are immutable. */}}
{{- define "base.lasting" -}}
{{ include "base.selector" . }}
app.kubernetes.io/managed-by: mlops-infra
app.kubernetes.io/part-of: mlops-infra
mlops-infra.dev/component: {{ .root.Chart.Name }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Labels of every object. */}}
{{- define "base.labels" -}}
{{ include "base.lasting" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end }}

{{/* Name, namespace (`.in`, or the release's) and labels of an object called after the chart, or `name`. */}}
{{- define "base.metadata" -}}
name: {{ .name | default .root.Chart.Name }}
namespace: {{ .in | default .root.Release.Namespace }}
labels:
  {{- include "base.labels" . | nindent 2 }}
{{- end }}

{{/* Name and labels of an object that belongs to no namespace. */}}
{{- define "base.clusterMetadata" -}}
name: {{ .name | default .root.Chart.Name }}
labels:
  {{- include "base.labels" . | nindent 2 }}
{{- end }}

{{/* Labels of a Pod: the object's, and those a site asks for. */}}
{{- define "base.podLabels" -}}
{{ include "base.labels" . }}
{{- with .root.Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Name of the configuration: a changed text is a new object, so no Pod starts on an old one. */}}
{{- define "base.configName" -}}
{{ .root.Chart.Name }}-{{ .role }}-{{ toYaml .data | sha256sum | trunc 8 }}
{{- end }}
