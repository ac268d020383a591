{{/*
An open schema with defaults. The argument is an object as it would be with its defaults alone, of a
list the one item that all items are completed by.
*/}}
{{- define "crds.open" -}}
type: object
x-kubernetes-preserve-unknown-fields: true
{{- with . }}
properties:
  {{- range $name, $value := . }}
  {{ $name }}:
    {{- if kindIs "map" $value }}
    {{- include "crds.open" $value | nindent 4 }}
    {{- else if kindIs "slice" $value }}
    type: array
    items:
      {{- include "crds.open" (first $value) | nindent 6 }}
    {{- else }}
    type: {{ dict "string" "string" "bool" "boolean" "float64" "integer" | dig (kindOf $value) "" }}
    default: {{ toJson $value }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}
