{{/* Rules of NetworkPolicies. */}}

{{/* One peer of a NetworkPolicy rule: Pods by namespace and labels, or addresses. */}}
{{- define "base.peer" -}}
{{- if .cidr -}}
ipBlock:
  cidr: {{ .cidr }}
{{- else -}}
namespaceSelector:
  matchLabels:
    kubernetes.io/metadata.name: {{ .namespace }}
{{- with .podLabels }}
podSelector:
  matchLabels:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Who may open a connection to the server: the declared clients, and everybody when the Service has a
port on the nodes and no address ranges are given, since the sources behind a NodePort are not known
here. Probes of the kubelet come from the Pod's own node, which NetworkPolicies always let through.
`.port`, or `.ports` where there are several; `.clients` where they are not those of the values;
`.internal` as in `base.service`.
*/}}
{{- define "base.ingress" -}}
{{- $values := .root.Values -}}
{{- $ports := .ports | default (list .port) -}}
{{- $clients := $values.networkPolicy.clients -}}
{{- if hasKey . "clients" }}{{ $clients = .clients }}{{ end -}}
{{- range $clients }}
- from:
    - {{ include "base.peer" . | nindent 6 | trim }}
  ports:
    {{- include "base.tcp" $ports | nindent 4 }}
{{- end }}
{{- if and (ne $values.service.type "ClusterIP") (not .internal) }}
{{- with $values.networkPolicy.externalCidrs }}
- from:
    {{- range . }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  ports:
    {{- include "base.tcp" $ports | nindent 4 }}
{{- else }}
- ports:
    {{- include "base.tcp" $ports | nindent 4 }}
{{- end }}
{{- end }}
{{- end }}

{{/* Port numbers as the ports of a NetworkPolicy rule. */}}
{{- define "base.tcp" -}}
{{- range $index, $port := . }}
{{- if $index }}
{{ end }}- {port: {{ $port }}, protocol: TCP}
{{- end }}
{{- end }}

{{/* Connections to servers: a list of {namespace, podLabels, port} or {cidr, port}. */}}
{{- define "base.servers" -}}
{{- range . }}
- to:
    - {{ include "base.peer" . | nindent 6 | trim }}
  ports:
    - {port: {{ .port }}, protocol: TCP}
{{- end }}
{{- end }}

{{/*
The Kubernetes API. A policy is judged after the Service's address is translated, so the port that
API servers listen on counts, and their addresses are the site's: everywhere, unless it names them.
*/}}
{{- define "base.apiEgress" -}}
- to:
    {{- range .Values.networkPolicy.apiServer.cidrs }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  ports:
    {{- include "base.tcp" .Values.networkPolicy.apiServer.ports | nindent 4 }}
{{- end }}

{{/*
Names are looked up at the cluster's DNS. Policies are judged after the Service's address is
translated, so the port the DNS Pods listen on counts too, not only 53.
*/}}
{{- define "base.dnsEgress" -}}
- to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {{ .Values.networkPolicy.dns.namespace }}
  ports:
    {{- range .Values.networkPolicy.dns.ports }}
    - {port: {{ . }}, protocol: UDP}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end }}
