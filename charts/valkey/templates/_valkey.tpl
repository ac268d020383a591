{{- define "valkey.files" -}}
valkey.conf: |
  {{- .Files.Get "files/valkey.conf" | trim | nindent 2 }}
  appendfsync {{ .Values.appendfsync }}
  maxmemory {{ .Values.maxmemory }}
  maxmemory-policy {{ .Values.maxmemoryPolicy }}
start.sh: |
  {{- .Files.Get "files/start.sh" | trim | nindent 2 }}
ping.sh: |
  {{- .Files.Get "files/ping.sh" | trim | nindent 2 }}
{{- end }}

{{- define "valkey.configName" -}}
{{ include "base.configName" (dict "root" . "role" "server" "data" (include "valkey.files" .)) }}
{{- end }}
