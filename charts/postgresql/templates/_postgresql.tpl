{{/* postgresql.conf: what the chart fixes, then the values' settings in order of name. */}}
{{- define "postgresql.conf" -}}
{{ .Files.Get "files/postgresql.conf" | trim }}
{{- range $name, $value := .Values.settings }}
{{- if kindIs "bool" $value }}
{{ $name }} = {{ ternary "on" "off" $value }}
{{- else if kindIs "string" $value }}
{{ $name }} = '{{ replace "'" "''" $value }}'
{{- else }}
{{ $name }} = {{ toJson $value }}
{{- end }}
{{- end }}
{{- end }}

{{/* Files of the server and of the Job, in one ConfigMap each. */}}
{{- define "postgresql.serverFiles" -}}
postgresql.conf: |
  {{- include "postgresql.conf" . | nindent 2 }}
pg_hba.conf: |
  {{- .Files.Get "files/pg_hba.conf" | trim | nindent 2 }}
prepare.sh: |
  {{- .Files.Get "files/prepare.sh" | trim | nindent 2 }}
{{- end }}

{{- define "postgresql.jobFiles" -}}
databases.sh: |
  {{- .Files.Get "files/databases.sh" | trim | nindent 2 }}
server.sql: |
  {{- .Files.Get "files/server.sql" | trim | nindent 2 }}
rights.sql: |
  {{- .Files.Get "files/rights.sql" | trim | nindent 2 }}
databases.sql: |
  {{- .Files.Get "files/databases.sql" | trim | nindent 2 }}
guests.sql: |
  {{- .Files.Get "files/guests.sql" | trim | nindent 2 }}
closed.sql: |
  {{- .Files.Get "files/closed.sql" | trim | nindent 2 }}
purged.sql: |
  {{- .Files.Get "files/purged.sql" | trim | nindent 2 }}
{{- end }}

{{- define "postgresql.serverConfigName" -}}
{{ include "base.configName" (dict "root" . "role" "server" "data" (include "postgresql.serverFiles" .)) }}
{{- end }}

{{- define "postgresql.jobConfigName" -}}
{{ include "base.configName" (dict "root" . "role" "databases" "data" (include "postgresql.jobFiles" .)) }}
{{- end }}

{{/* The Pod of the Job; apart, because its hash names the Job. */}}
{{- define "postgresql.jobPod" -}}
metadata:
  labels:
    {{- include "base.podLabels" (dict "root" . "role" "databases") | nindent 4 }}
spec:
  restartPolicy: OnFailure
  {{- include "base.pod" (dict "root" .) | nindent 2 }}
  containers:
    - name: databases
      {{- include "base.container" (dict "root" . "image" "server") | nindent 6 }}
      command: [sh, /etc/postgresql/databases.sh]
      env:
        - {name: PGHOST, value: "{{ .Chart.Name }}.{{ .Release.Namespace }}.svc"}
        - {name: PGPORT, value: "5432"}
        - {name: PGCONNECT_TIMEOUT, value: "10"}
        - {name: HOME, value: /tmp}
        - name: DECLARED
          value: |
            {{- range .Values.guests }}
            {{ .secret }} {{ .onRemoval }}
            {{- end }}
      resources:
        {{- toYaml .Values.job.resources | nindent 8 }}
      volumeMounts:
        - {name: config, mountPath: /etc/postgresql, readOnly: true}
        - {name: admin, mountPath: /run/secrets/admin, readOnly: true}
        {{- range $number, $database := .Values.databases }}
        - {name: "database-{{ $number }}", mountPath: "/run/secrets/databases/{{ .secret }}", readOnly: true}
        {{- end }}
        {{- range $number, $guest := .Values.guests }}
        - {name: "guest-{{ $number }}", mountPath: "/run/secrets/guests/{{ .secret }}", readOnly: true}
        {{- end }}
        - {name: tmp, mountPath: /tmp}
  volumes:
    - name: config
      configMap:
        name: {{ include "postgresql.jobConfigName" . }}
    - name: admin
      secret:
        secretName: {{ .Values.auth.secret }}
        defaultMode: 0440
    {{- include "base.secretVolumes" (dict "name" "database" "secrets" .Values.databases "indent" 4) }}
    {{- include "base.secretVolumes" (dict "name" "guest" "secrets" .Values.guests "indent" 4) }}
    - name: tmp
      emptyDir: {sizeLimit: 16Mi}
{{- end }}
