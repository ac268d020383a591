{{/* Roles by name with the Secret of their password: several databases may have one owner. */}}
{{- define "cloudnative-pg.roles" -}}
{{- $found := dict -}}
{{- range .Values.databases }}{{ $_ := set $found .owner .secret }}{{ end -}}
{{- $found | toJson -}}
{{- end }}

{{/* Databases by name with their owner: the first role that is declared for one. */}}
{{- define "cloudnative-pg.owners" -}}
{{- $found := dict -}}
{{- range .Values.databases }}{{ if not (hasKey $found .name) }}{{ $_ := set $found .name .owner }}{{ end }}{{ end -}}
{{- $found | toJson -}}
{{- end }}

{{/* How the operator labels the Pods of the servers. */}}
{{- define "cloudnative-pg.podLabels" -}}
cnpg.io/cluster: postgresql
{{- end }}
