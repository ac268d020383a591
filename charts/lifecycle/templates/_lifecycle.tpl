{{/*
Environment of every container: where the stores are, and Secrets by name. The database's address
and login are libpq's own variables, so no URI holds a password.
*/}}
{{- define "lifecycle.env" -}}
- {name: HOME, value: /tmp}
{{ include "base.oneThreadEnv" . }}
{{ include "base.postgresqlEnv" (dict "root" . "application" "lifecycle") }}
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
