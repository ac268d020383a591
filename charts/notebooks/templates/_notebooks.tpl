{{/* Files that every JupyterLab reads; the same in each namespace. */}}
{{- define "notebooks.files" -}}
{{ include "jupyter.config" . }}
pip.conf: |
  [global]
  {{- with .Values.packages }}
  index-url = {{ . }}
  {{- end }}
  {{- if .Values.trustedCa.configMap }}
  cert = /etc/trusted-ca/ca.crt
  {{- end }}
  disable-pip-version-check = true
  cache-dir = /tmp/pip
  [install]
  user = true
  # the folder of the image cannot be written to, so Debian's word against it protects nothing
  break-system-packages = true
{{- end }}

{{- define "notebooks.configName" -}}
{{ include "base.configName" (dict "root" . "role" "notebook" "data" (include "notebooks.files" .)) }}
{{- end }}

{{/* Addresses by path, for the router. */}}
{{- define "notebooks.routes" -}}
{{- $routes := dict -}}
{{- range .Values.users -}}
{{- $address := printf "notebook-%s.%s.svc:8888" .name .namespace -}}
{{- $_ := set $routes (printf "/notebook/%s/%s/" .tenant .name) $address -}}
{{- end -}}
{{ toJson $routes }}
{{- end }}

{{- define "notebooks.routerFiles" -}}
router.py: |
  {{- .Files.Get "files/router.py" | trim | nindent 2 }}
routes.json: |
  {{ include "notebooks.routes" . }}
{{- end }}

{{- define "notebooks.routerName" -}}
{{ include "base.configName" (dict "root" . "role" "router" "data" (include "notebooks.routerFiles" .)) }}
{{- end }}

{{/* Labels that choose the Pods of one person; `.user` is an entry of `users`. */}}
{{- define "notebooks.selector" -}}
{{ include "base.selector" (dict "root" .root "role" "notebook") }}
mlops-infra.dev/tenant: {{ .user.tenant }}
mlops-infra.dev/user: {{ .user.name }}
{{- end }}

{{/* Metadata of an object of one person, in the tenant's namespace. */}}
{{- define "notebooks.metadata" -}}
name: notebook-{{ .user.name }}
namespace: {{ .user.namespace }}
labels:
  {{- include "notebooks.labels" . | nindent 2 }}
{{- end }}

{{- define "notebooks.labels" -}}
{{- $labels := include "base.labels" (dict "root" .root "role" "notebook") | fromYaml -}}
{{- $own := include "notebooks.selector" . | fromYaml -}}
{{ toYaml (merge $own $labels) }}
{{- end }}
