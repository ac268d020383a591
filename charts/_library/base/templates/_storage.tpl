{{/* Volumes of StatefulSets. */}}

{{/* The volume of a StatefulSet's Pod. Its fields are immutable, so are its labels. */}}
{{- define "base.volumeClaim" -}}
metadata:
  name: data
  labels:
    {{- include "base.lasting" (dict "root" . "role" "server") | nindent 4 }}
spec:
  accessModes: [ReadWriteOnce]
  {{- with .Values.persistence.storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .Values.persistence.size }}
{{- end }}

{{/* What becomes of the volume when the StatefulSet goes. */}}
{{- define "base.retention" -}}
whenDeleted: {{ ternary "Retain" "Delete" .Values.persistence.retain }}
whenScaled: Retain
{{- end }}
