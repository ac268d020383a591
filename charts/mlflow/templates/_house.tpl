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
for in minutes.
*/}}
{{- define "house.pod" -}}
serviceAccountName: {{ .root.Chart.Name }}
automountServiceAccountToken: false
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
  runAsUser: {{ int64 .root.Values.runAs.user }}
  runAsGroup: {{ int64 .root.Values.runAs.group }}
  fsGroup: {{ int64 .root.Values.runAs.group }}
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

{{- define "house.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "house.metadata" (dict "root" . "role" "server") | nindent 2 }}
automountServiceAccountToken: false
{{- end }}

{{/* The Service of the server. `.port` is the number that clients use, `.target` the port's name. */}}
{{- define "house.service" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "house.metadata" (dict "root" .root "role" "server") | nindent 2 }}
  {{- with merge dict .root.Values.service.annotations (.annotations | default dict) }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .root.Values.service.type }}
  selector:
    {{- include "house.selector" (dict "root" .root "role" "server") | nindent 4 }}
  ports:
    - name: {{ .target }}
      port: {{ .port }}
      targetPort: {{ .target }}
      protocol: TCP
      {{- with .root.Values.service.nodePort }}
      {{- if ne $.root.Values.service.type "ClusterIP" }}
      nodePort: {{ . }}
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
*/}}
{{- define "house.ingress" -}}
{{- $values := .root.Values -}}
{{- $port := .port -}}
{{- range $values.networkPolicy.clients }}
- from:
    - {{ include "house.peer" . | nindent 6 | trim }}
  ports:
    - {port: {{ $port }}, protocol: TCP}
{{- end }}
{{- if ne $values.service.type "ClusterIP" }}
{{- with $values.networkPolicy.externalCidrs }}
- from:
    {{- range . }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  ports:
    - {port: {{ $port }}, protocol: TCP}
{{- else }}
- ports:
    - {port: {{ $port }}, protocol: TCP}
{{- end }}
{{- end }}
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
