{{/*
Environment of every container: where the stores are, and Secrets by name. The database's address
and login are libpq's own variables, so no URI holds a password.
*/}}
{{- define "lifecycle.env" -}}
- {name: HOME, value: /tmp}
# Numeric libraries would make a thread, and its memory, for every core of the node.
- {name: OMP_NUM_THREADS, value: "1"}
- {name: OPENBLAS_NUM_THREADS, value: "1"}
- {name: PGHOST, value: "{{ .Values.database.host }}"}
- {name: PGPORT, value: "{{ .Values.database.port }}"}
- {name: PGSSLMODE, value: "{{ .Values.database.sslMode }}"}
- {name: PGAPPNAME, value: lifecycle}
- {name: PGCONNECT_TIMEOUT, value: "10"}
{{- range $variable, $key := dict "PGUSER" "username" "PGPASSWORD" "password" "PGDATABASE" "database" }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef: {name: "{{ $.Values.database.secret }}", key: {{ $key }}}
{{- end }}
- name: VALKEY_PASSWORD
  valueFrom:
    secretKeyRef: {name: "{{ .Values.keyValue.secret }}", key: password}
{{- if .Values.trustedCa.configMap }}
- {name: PGSSLROOTCERT, value: /etc/trusted-ca/ca.crt}
{{- end }}
{{- include "base.proxyEnv" . | trim | nindent 0 }}
{{- end }}

{{/* URL of the key-value store, without its password. */}}
{{- define "lifecycle.keyValueUrl" -}}
redis://{{ .Values.keyValue.host }}:{{ .Values.keyValue.port }}
{{- end }}

{{- define "lifecycle.mounts" -}}
- {name: tmp, mountPath: /tmp}
{{ include "base.caMount" . | trim }}
{{- end }}

{{- define "lifecycle.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 256Mi}
{{ include "base.caVolume" . | trim }}
{{- end }}
