{{/* Services. */}}

{{/*
The Service of a role, `server` where none is named. One port: `.port` is the number that clients
use, `.target` the port's name. Several: `.ports`, a list of {name, port, target (name), nodePort}.
`.internal`: never seen outside of the cluster, whatever `service.type` says; `.headless`: names of
Pods instead of an address.
*/}}
{{- define "base.service" -}}
{{- $role := .role | default "server" -}}
{{- $type := ternary "ClusterIP" .root.Values.service.type (or .internal .headless | default false) -}}
{{- $only := list (dict "name" .target "port" .port "nodePort" .root.Values.service.nodePort) -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "base.metadata" (dict "root" .root "role" $role "name" .name) | nindent 2 }}
  {{- with merge dict .root.Values.service.annotations (.annotations | default dict) }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ $type }}
  {{- if .headless }}
  clusterIP: None
  {{- end }}
  selector:
    {{- include "base.selector" (dict "root" .root "role" $role) | nindent 4 }}
  ports:
    {{- range .ports | default $only }}
    - name: {{ .name }}
      port: {{ .port }}
      targetPort: {{ .target | default .name }}
      protocol: TCP
      {{- with .nodePort }}
      {{- if ne $type "ClusterIP" }}
      nodePort: {{ . }}
      {{- end }}
      {{- end }}
    {{- end }}
{{- end }}
