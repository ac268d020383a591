{{- define "grafana.files" -}}
grafana.ini: |
  {{- tpl (.Files.Get "files/grafana.ini") . | trim | nindent 2 }}
datasource.yaml: |
  {{- tpl (.Files.Get "files/datasource.yaml") . | trim | nindent 2 }}
dashboards.yaml: |
  {{- .Files.Get "files/dashboards.yaml" | trim | nindent 2 }}
{{- end }}

{{/* Every picture of `files/dashboards`, as written there. */}}
{{- define "grafana.dashboards" -}}
{{- range $path, $_ := .Files.Glob "files/dashboards/*.json" }}
{{ base $path }}: |
  {{- $.Files.Get $path | trim | nindent 2 }}
{{- end }}
{{- end }}

{{- define "grafana.configName" -}}
{{ include "base.configName" (dict "root" . "role" "server" "data" (include "grafana.files" .)) }}
{{- end }}

{{- define "grafana.dashboardsName" -}}
{{ include "base.configName" (dict "root" . "role" "dashboards" "data" (include "grafana.dashboards" .)) }}
{{- end }}
