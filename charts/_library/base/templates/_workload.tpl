{{/*
Parts of charts with several workloads, each in a role of its own. A role is (dict "root" . "role" R "name" N):
`role` selects its Pods, `name` names its objects and its ServiceAccount, unless `account` does.
*/}}

{{/*
A Deployment up to its Pod's spec; the caller goes on with `containers:`, indented by six spaces.
`.settings` is the role's section of the values, `.token` gives the account's token, `.runAs` another
user than the chart's, `.port` is scraped for metrics, `.labels` are further labels of the Pod,
`.once`: never two Pods at a time.
*/}}
{{- define "workload.deployment" -}}
{{- $settings := .settings | default dict -}}
{{- $values := .root.Values -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "base.metadata" . | nindent 2 }}
spec:
  replicas: {{ $settings.replicas | default 1 }}
  revisionHistoryLimit: 3
  progressDeadlineSeconds: 900
  {{- if .once }}
  strategy: {type: Recreate}
  {{- else }}
  # The old Pod serves until the new one is ready: a broken image interrupts nobody.
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  {{- end }}
  selector:
    matchLabels:
      {{- include "base.selector" . | nindent 6 }}
  template:
    {{- include "workload.podMetadata" . | nindent 4 }}
    spec:
      {{- include "workload.pod" . | nindent 6 }}
{{- end }}

{{/* Labels and annotations of a Pod. */}}
{{- define "workload.podMetadata" -}}
metadata:
  labels:
    {{- include "base.podLabels" . | nindent 4 }}
    {{- with .labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- $notes := dict -}}
  {{- with .port }}
  {{- $notes = dict "prometheus.io/scrape" "true" "prometheus.io/port" (toString .) "prometheus.io/path" "/metrics" -}}
  {{- end }}
  {{- with .root.Values.auth }}
  {{- $_ := set $notes "mlops-infra.dev/credentials-revision" .revision -}}
  {{- end }}
  {{- with merge dict .root.Values.podAnnotations $notes }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* A Pod's security and place; several replicas stand on different nodes where they can. */}}
{{- define "workload.pod" -}}
{{ include "base.pod" (dict "root" .root "account" (.account | default .name) "token" .token "runAs" .runAs) }}
terminationGracePeriodSeconds: {{ .grace | default 30 }}
{{- if gt (int (.settings | default dict).replicas) 1 }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "base.selector" . | nindent 8 }}
{{- end }}
{{- end }}

{{/* Resources of a container: those of the role's section, else the chart's. */}}
{{- define "workload.resources" -}}
resources:
  {{- toYaml ((.settings | default dict).resources | default .root.Values.resources) | nindent 2 }}
{{- end }}

{{/*
All three probes by one question: `.http` a path, `.exec` a command, `.grpc` or neither; `.port` is a
port's name, a number for `.grpc`; `.alive` another path for the last probe; `.start` the seconds
that a start may take.
*/}}
{{- define "workload.probes" -}}
startupProbe:
  {{- include "workload.probe" . | nindent 2 }}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: {{ div (add (.start | default 120) 4) 5 }}
readinessProbe:
  {{- include "workload.probe" . | nindent 2 }}
  periodSeconds: 10
  timeoutSeconds: 5
livenessProbe:
  {{- include "workload.probe" (merge (dict "http" (.alive | default .http)) .) | nindent 2 }}
  periodSeconds: 30
  timeoutSeconds: 10
  failureThreshold: 6
{{- end }}

{{- define "workload.probe" -}}
{{- if .exec -}}
exec:
  command: {{ toJson .exec }}
{{- else if .http -}}
httpGet: {path: {{ .http }}, port: {{ .port }}{{ with .scheme }}, scheme: {{ . }}{{ end }}}
{{- else if .grpc -}}
grpc: {port: {{ .port }}}
{{- else -}}
tcpSocket: {port: {{ .port }}}
{{- end }}
{{- end }}

{{/* One replica through every drain, where there are several. */}}
{{- define "workload.budget" -}}
{{- if gt (int (.settings | default dict).replicas) 1 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "base.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "base.selector" . | nindent 6 }}
{{- end }}
{{- end }}

{{/* The role's NetworkPolicy: `.ingress` and `.egress` are rules as text, nothing where empty. */}}
{{- define "workload.policy" -}}
{{- if .root.Values.networkPolicy.enabled }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "base.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- .selector | default (include "base.selector" .) | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- .ingress | default "" | trim | default "[]" | nindent 4 }}
  egress:
    {{- .egress | default "" | trim | default "[]" | nindent 4 }}
{{- end }}
{{- end }}

{{/* Connections from other roles of this chart: `.roles` to `.ports`. */}}
{{- define "workload.from" -}}
- from:
    {{- range .roles }}
    - podSelector:
        matchLabels:
          {{- include "base.selector" (dict "root" $.root "role" .) | nindent 10 }}
    {{- end }}
  ports:
    {{- include "base.tcp" .ports | nindent 4 }}
{{- end }}

{{/* A connection to another role of this chart. */}}
{{- define "workload.to" -}}
- to:
    - podSelector:
        matchLabels:
          {{- include "base.selector" (dict "root" .root "role" .role) | nindent 10 }}
  ports:
    {{- include "base.tcp" .ports | nindent 4 }}
{{- end }}

{{/*
The API server calls webhooks, from the site's addresses: they cannot be told here from any other.
The webhook itself asks for no more than TLS, and answers nothing but reviews.
*/}}
{{- define "workload.fromApiServer" -}}
- from:
    {{- range .root.Values.networkPolicy.apiServer.cidrs }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  ports:
    {{- include "base.tcp" .ports | nindent 4 }}
{{- end }}

{{/*
What all entries of a webhook configuration have in common: `.service` and `.path` of the server,
`.onFailure` (Fail where absent): whether a request passes when nobody answers.
*/}}
{{- define "workload.webhook" -}}
admissionReviewVersions: [v1]
sideEffects: None
failurePolicy: {{ .onFailure | default "Fail" }}
matchPolicy: Equivalent
timeoutSeconds: 10
clientConfig:
  service:
    name: {{ .service }}
    namespace: {{ .root.Release.Namespace }}
    path: {{ .path }}
    port: 443
  caBundle: {{ .root.Values.webhook.caBundle | quote }}
{{- end }}
