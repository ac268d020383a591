{{/*
What every chart of this kit has in common: labels, Pod security, images, Service, NetworkPolicy.
One text, the same bytes in each chart: a library chart would need `helm dependency build`, which
nobody can do in a closed network. tests/charts compares the copies.
*/}}

{{/* Labels that select the Pods of one role; never changed, since selectors are immutable. */}}
{{- define "house.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{/* Labels that stay the same over upgrades; for volume claim templates, which are immutable. */}}
{{- define "house.lasting" -}}
{{ include "house.selector" . }}
app.kubernetes.io/managed-by: mlops-infra
app.kubernetes.io/part-of: mlops-infra
mlops-infra.dev/component: {{ .root.Chart.Name }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Labels of every object. */}}
{{- define "house.labels" -}}
{{ include "house.lasting" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end }}

{{/* Name, namespace and labels of an object called after the chart, or `name`. */}}
{{- define "house.metadata" -}}
name: {{ .name | default .root.Chart.Name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "house.labels" . | nindent 2 }}
{{- end }}

{{/* Labels of a Pod: the object's, and those a site asks for. */}}
{{- define "house.podLabels" -}}
{{ include "house.labels" . }}
{{- with .root.Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/*
The part of a Pod that makes it pass Pod Security `restricted`. OnRootMismatch: the kubelet would
otherwise widen the modes of every file on each start, which PostgreSQL refuses and big volumes pay
for in minutes. `.account` is its ServiceAccount, the chart's own where absent; `.token` gives it that
account's token, for Pods that talk to the Kubernetes API; `.runAs` is another user than the chart's.
*/}}
{{- define "house.pod" -}}
{{- $runAs := .runAs | default .root.Values.runAs -}}
serviceAccountName: {{ .account | default .root.Chart.Name }}
automountServiceAccountToken: {{ .token | default false }}
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ int64 $runAs.user }}
  runAsGroup: {{ int64 $runAs.group }}
  fsGroup: {{ int64 $runAs.group }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{/* Image and security of a container; `.image` is a key of the chart's `images:`. */}}
{{- define "house.container" -}}
image: {{ index .root.Values.images .image }}
imagePullPolicy: {{ .root.Values.imagePullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{/*
ServiceAccount of one role; its token is mounted only where a Pod asks for it. Pods that a controller
makes under it pull with its Secrets.
*/}}
{{- define "house.account" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "house.metadata" . | nindent 2 }}
automountServiceAccountToken: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "house.serviceAccount" -}}
{{ include "house.account" (dict "root" . "role" "server") }}
{{- end }}

{{/*
What an account may do: a Role and its binding in one namespace, or a ClusterRole and its binding
where `.cluster`. `.rules` is YAML text or a list; `.name` names both; `.in` is the namespace of the
Role where it is not the release's; `.account` the ServiceAccount, which lives in the release's.
*/}}
{{- define "house.rbac" -}}
{{- $kind := ternary "ClusterRole" "Role" (.cluster | default false) -}}
{{- $meta := include "house.metadata" . -}}
{{- if .cluster -}}
{{- $meta = regexReplaceAll "(?m)^namespace: .*\n" $meta "" -}}
{{- else if .in -}}
{{- $meta = regexReplaceAll "(?m)^namespace: .*$" $meta (printf "namespace: %s" .in) -}}
{{- end -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  {{- $meta | nindent 2 }}
rules:
  {{- (kindIs "string" .rules | ternary .rules (toYaml .rules)) | trim | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  {{- $meta | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ .name | default .root.Chart.Name }}
subjects:
  - kind: ServiceAccount
    name: {{ .account | default .root.Chart.Name }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}

{{/*
The Service of a role, `server` where none is named. One port: `.port` is the number that clients
use, `.target` the port's name. Several: `.ports`, a list of {name, port, target (name), nodePort}.
`.internal`: never seen outside of the cluster, whatever `service.type` says; `.headless`: names of
Pods instead of an address.
*/}}
{{- define "house.service" -}}
{{- $role := .role | default "server" -}}
{{- $type := ternary "ClusterIP" .root.Values.service.type (or .internal .headless | default false) -}}
{{- $only := list (dict "name" .target "port" .port "nodePort" .root.Values.service.nodePort) -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "house.metadata" (dict "root" .root "role" $role "name" .name) | nindent 2 }}
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
    {{- include "house.selector" (dict "root" .root "role" $role) | nindent 4 }}
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

{{/* One peer of a NetworkPolicy rule: Pods by namespace and labels, or addresses. */}}
{{- define "house.peer" -}}
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
`.internal` as in `house.service`.
*/}}
{{- define "house.ingress" -}}
{{- $values := .root.Values -}}
{{- $ports := .ports | default (list .port) -}}
{{- $clients := $values.networkPolicy.clients -}}
{{- if hasKey . "clients" }}{{ $clients = .clients }}{{ end -}}
{{- range $clients }}
- from:
    - {{ include "house.peer" . | nindent 6 | trim }}
  ports:
    {{- include "house.tcp" $ports | nindent 4 }}
{{- end }}
{{- if and (ne $values.service.type "ClusterIP") (not .internal) }}
{{- with $values.networkPolicy.externalCidrs }}
- from:
    {{- range . }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  ports:
    {{- include "house.tcp" $ports | nindent 4 }}
{{- else }}
- ports:
    {{- include "house.tcp" $ports | nindent 4 }}
{{- end }}
{{- end }}
{{- end }}

{{/* Port numbers as the ports of a NetworkPolicy rule. */}}
{{- define "house.tcp" -}}
{{- range $index, $port := . }}
{{- if $index }}
{{ end }}- {port: {{ $port }}, protocol: TCP}
{{- end }}
{{- end }}

{{/* Connections to servers: a list of {namespace, podLabels, port} or {cidr, port}. */}}
{{- define "house.servers" -}}
{{- range . }}
- to:
    - {{ include "house.peer" . | nindent 6 | trim }}
  ports:
    - {port: {{ .port }}, protocol: TCP}
{{- end }}
{{- end }}

{{/*
The Kubernetes API. A policy is judged after the Service's address is translated, so the port that
API servers listen on counts, and their addresses are the site's: everywhere, unless it names them.
*/}}
{{- define "house.apiEgress" -}}
- to:
    {{- range .Values.networkPolicy.apiServer.cidrs }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  ports:
    {{- include "house.tcp" .Values.networkPolicy.apiServer.ports | nindent 4 }}
{{- end }}

{{/*
Names are looked up at the cluster's DNS. Policies are judged after the Service's address is
translated, so the port the DNS Pods listen on counts too, not only 53.
*/}}
{{- define "house.dnsEgress" -}}
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

{{/* The volume of a StatefulSet's Pod. Its fields are immutable, so are its labels. */}}
{{- define "house.volumeClaim" -}}
metadata:
  name: data
  labels:
    {{- include "house.lasting" (dict "root" . "role" "server") | nindent 4 }}
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
{{- define "house.retention" -}}
whenDeleted: {{ ternary "Retain" "Delete" .Values.persistence.retain }}
whenScaled: Retain
{{- end }}

{{/* Name of the configuration: a changed text is a new object, so no Pod starts on an old one. */}}
{{- define "house.configName" -}}
{{ .root.Chart.Name }}-{{ .role }}-{{ toYaml .data | sha256sum | trunc 8 }}
{{- end }}

{{/*
Variables of a site's forward proxy. Both spellings: curl reads http_proxy in lower case only, Java
and Go programs the other.
*/}}
{{- define "house.proxyEnv" -}}
{{- $proxy := .Values.proxy -}}
{{- $keys := dict "HTTP_PROXY" $proxy.http "HTTPS_PROXY" $proxy.https "NO_PROXY" $proxy.noProxy -}}
{{- range $name, $value := $keys }}
{{- if $value }}
- {name: {{ $name }}, value: "{{ $value }}"}
- {name: {{ lower $name }}, value: "{{ $value }}"}
{{- end }}
{{- end }}
{{- end }}

{{/* The site's certificates as a volume and its mount; nothing where none are named. */}}
{{- define "house.caVolume" -}}
{{- with .Values.trustedCa.configMap }}
- name: trusted-ca
  configMap:
    name: {{ . }}
    items:
      - {key: "{{ $.Values.trustedCa.key }}", path: ca.crt}
{{- end }}
{{- end }}

{{- define "house.caMount" -}}
{{- if .Values.trustedCa.configMap }}
- {name: trusted-ca, mountPath: /etc/trusted-ca, readOnly: true}
{{- end }}
{{- end }}
