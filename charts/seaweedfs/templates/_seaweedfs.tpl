{{- define "seaweedfs.files" -}}
identities.sh: |
  {{- .Files.Get "files/identities.sh" | trim | nindent 2 }}
buckets.sh: |
  {{- .Files.Get "files/buckets.sh" | trim | nindent 2 }}
users: |
  {{- range .Values.auth.users }}
  {{ .secret }} {{ join "," .actions }}
  {{- else }}
  {{ "" }}
  {{- end }}
buckets: |
  {{- range .Values.buckets }}
  {{ . }}
  {{- else }}
  {{ "" }}
  {{- end }}
{{- end }}

{{- define "seaweedfs.configName" -}}
{{ include "base.configName" (dict "root" . "role" "server" "data" (include "seaweedfs.files" .)) }}
{{- end }}
