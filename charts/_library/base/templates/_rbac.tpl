{{/* Accounts and what they may do. */}}

{{/*
ServiceAccount of one role; its token is mounted only where a Pod asks for it. Pods that a controller
makes under it pull with its Secrets.
*/}}
{{- define "base.account" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "base.metadata" . | nindent 2 }}
automountServiceAccountToken: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "base.serviceAccount" -}}
{{ include "base.account" (dict "root" . "role" "server") }}
{{- end }}

{{/*
What an account may do: a Role and its binding in one namespace, or a ClusterRole and its binding
where `.cluster`. `.rules` is YAML text or a list; `.name` names both; `.in` is the namespace of the
Role where it is not the release's; `.account` the ServiceAccount, which lives in the release's.
*/}}
{{- define "base.rbac" -}}
{{- $kind := ternary "ClusterRole" "Role" (.cluster | default false) -}}
{{- $meta := include "base.metadata" . -}}
{{- if .cluster -}}
{{- $meta = regexReplaceAll "(?m)^namespace: .*\n" $meta "" -}}
{{- end -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  {{- $meta | nindent 2 }}
rules:
  {{- (kindIs "string" .rules | ternary .rules (toYaml .rules)) | trim | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  {{- $meta | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ .name | default .root.Chart.Name }}
subjects:
  - kind: ServiceAccount
    name: {{ .account | default .root.Chart.Name }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}
