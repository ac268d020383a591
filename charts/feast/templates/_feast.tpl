{{/* The programs; they change with the chart alone. */}}
{{- define "feast.program" -}}
run.py: |
  {{- .Files.Get "files/run.py" | trim | nindent 2 }}
checks.py: |
  {{- .Files.Get "files/checks.py" | trim | nindent 2 }}
history.py: |
  {{- .Files.Get "files/history.py" | trim | nindent 2 }}
{{- end }}

{{/* The repository's files, as far as the values hold them. */}}
{{- define "feast.definitions" -}}
{{- if .Values.repository.demo }}
demo.sql: |
  {{- .Files.Get "files/demo.sql" | trim | nindent 2 }}
demo_machines.py: |
  {{- .Files.Get "files/demo_machines.py" | trim | nindent 2 }}
{{- end }}
{{- range $name, $text := .Values.repository.definitions }}
{{ $name }}: |
  {{- $text | trim | nindent 2 }}
{{- end }}
{{- end }}

{{- define "feast.programName" -}}
{{ include "base.configName" (dict "root" . "role" "program" "data" (include "feast.program" .)) }}
{{- end }}

{{- define "feast.definitionsName" -}}
{{ include "base.configName" (dict "root" . "role" "definitions" "data" (include "feast.definitions" . | trim)) }}
{{- end }}

{{/*
Names one state of the repository and of the stores it goes to: the Job that brings it about, and the
mark that it leaves there for the servers, which wait for it.
*/}}
{{- define "feast.revision" -}}
{{- $of := list (include "feast.program" .) (include "feast.definitions" .) .Values.repository .Values.project .Values.database .Values.onlineStore -}}
{{ toYaml $of | sha256sum | trunc 12 }}
{{- end }}

{{/*
Where things are, and Secrets by name. The database's address and login are libpq's own variables;
the program puts them into Feast's configuration, quoted.
*/}}
{{- define "feast.env" -}}
- {name: HOME, value: /tmp}
- {name: PYTHONDONTWRITEBYTECODE, value: "1"}
- {name: PYTHONUNBUFFERED, value: "1"}
{{ include "base.oneThreadEnv" . }}
- {name: DO_NOT_TRACK, value: "true"}
- {name: FEAST_PROJECT, value: "{{ .Values.project }}"}
- {name: APPLY_REVISION, value: "{{ include "feast.revision" . }}"}
- {name: WORKERS, value: "{{ .Values.workers }}"}
- {name: WRITABLE, value: "{{ .Values.writable }}"}
{{ include "base.postgresqlEnv" (dict "root" . "application" "feast") }}
{{- with .Values.onlineStore }}
- {name: ONLINE_ADDRESS, value: "{{ .host }}:{{ .port }}"}
- {name: ONLINE_DATABASE, value: "{{ .database }}"}
- {name: ONLINE_TLS, value: "{{ .tls }}"}
{{- if .secret }}
- name: ONLINE_PASSWORD
  valueFrom:
    secretKeyRef: {name: "{{ .secret }}", key: password}
{{- end }}
{{- end }}
{{- if .Values.trustedCa.configMap }}
- {name: PGSSLROOTCERT, value: /etc/trusted-ca/ca.crt}
{{- end }}
{{ include "base.proxyEnv" . | trim }}
{{- end }}

{{- define "feast.mounts" -}}
- {name: program, mountPath: /etc/feast/program, readOnly: true}
- {name: definitions, mountPath: /etc/feast/definitions, readOnly: true}
{{- if .Values.repository.configMap }}
- {name: site, mountPath: /etc/feast/site, readOnly: true}
{{- end }}
- {name: tmp, mountPath: /tmp}
{{ include "base.caMount" . | trim }}
{{- end }}

{{- define "feast.volumes" -}}
- name: program
  configMap:
    name: {{ include "feast.programName" . }}
- name: definitions
  configMap:
    name: {{ include "feast.definitionsName" . }}
{{- with .Values.repository.configMap }}
- name: site
  configMap:
    name: {{ . }}
{{- end }}
- name: tmp
  emptyDir: {sizeLimit: 256Mi}
{{ include "base.caVolume" . | trim }}
{{- end }}

{{/* The Pod of the Job and of the CronJob; the Job's hash names it. */}}
{{- define "feast.jobPod" -}}
{{- $root := .root -}}
metadata:
  labels:
    {{- include "base.podLabels" (dict "root" $root "role" "job") | nindent 4 }}
  {{- with $root.Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  restartPolicy: OnFailure
  {{- include "base.pod" (dict "root" $root) | nindent 2 }}
  containers:
    - name: {{ .does }}
      {{- include "base.container" (dict "root" $root "image" "server") | nindent 6 }}
      command: [python3, /etc/feast/program/run.py, {{ .does }}]
      workingDir: /tmp
      env:
        {{- include "feast.env" $root | trim | nindent 8 }}
      resources:
        {{- toYaml $root.Values.job.resources | nindent 8 }}
      volumeMounts:
        {{- include "feast.mounts" $root | trim | nindent 8 }}
  volumes:
    {{- include "feast.volumes" $root | trim | nindent 4 }}
{{- end }}
