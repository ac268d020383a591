{{/*
Workloads, each in a role of its own. A role is (dict "root" . "role" R "name" N): `role` selects its
Pods, `name` names its objects and its ServiceAccount, unless `account` does; both are called after
the chart where no name is given.
*/}}

{{/*
A Deployment up to its Pod's spec; the caller goes on with `containers:`, indented by six spaces.
`.settings` is the role's section of the values, `.token` gives the account's token, `.runAs` another
user than the chart's, `.port` is scraped for metrics, `.labels` and `.annotations` are further ones of
the Pod, `.deadline` the seconds until a rollout counts as failed, 0 for the cluster's own number,
`.anywhere`: several replicas may stand on one node, `.once`: never two Pods at a time.
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
  {{- with ternary .deadline 900 (hasKey . "deadline") }}
  progressDeadlineSeconds: {{ . }}
  {{- end }}
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

{{/*
A StatefulSet of one Pod with a volume, up to its Pod's spec; the caller goes on with `containers:`,
indented by six spaces, and with `volumeClaimTemplates:`. It takes what a Deployment takes.
Parallel: with the other policy a Pod that never got ready, for a wrong image say, is not replaced by
a mended one until a person deletes it.
*/}}
{{- define "workload.statefulSet" -}}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  {{- include "base.metadata" . | nindent 2 }}
spec:
  replicas: 1
  podManagementPolicy: Parallel
  serviceName: {{ .name | default .root.Chart.Name }}
  revisionHistoryLimit: 3
  selector:
    matchLabels:
      {{- include "base.selector" . | nindent 6 }}
  persistentVolumeClaimRetentionPolicy:
    {{- include "base.retention" .root | nindent 4 }}
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
  {{- with merge dict .root.Values.podAnnotations (.annotations | default dict) $notes }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* A Pod's security and place; several replicas stand on different nodes where they can. */}}
{{- define "workload.pod" -}}
{{ include "base.pod" (dict "root" .root "account" (.account | default .name) "token" .token "runAs" .runAs) }}
terminationGracePeriodSeconds: {{ .grace | default 30 }}
{{- if and (gt (int (.settings | default dict).replicas) 1) (not .anywhere) }}
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
All three probes by one question: `.http` a path, `.exec` a command, `.grpc` the name of a service, or
none of them; `.port` is a port's name, a number for `.grpc`; `.ready` and `.alive` are other paths for
the last two. `.start` is how many seconds a start may take. `.startEvery`, `.readyEvery` and
`.aliveEvery` are seconds from one question to the next, `.readyTimeout` and `.aliveTimeout` those that
an answer may take.
*/}}
{{- define "workload.probes" -}}
{{- $every := .startEvery | default 5 -}}
startupProbe:
  {{- include "workload.probe" . | nindent 2 }}
  periodSeconds: {{ $every }}
  timeoutSeconds: 5
  failureThreshold: {{ div (add (.start | default 120) $every -1) $every }}
readinessProbe:
  {{- include "workload.probe" (merge (dict "http" (.ready | default .http)) .) | nindent 2 }}
  periodSeconds: {{ .readyEvery | default 10 }}
  timeoutSeconds: {{ .readyTimeout | default 5 }}
livenessProbe:
  {{- include "workload.probe" (merge (dict "http" (.alive | default .http)) .) | nindent 2 }}
  periodSeconds: {{ .aliveEvery | default 30 }}
  timeoutSeconds: {{ .aliveTimeout | default 10 }}
  failureThreshold: 6
{{- end }}

{{- define "workload.probe" -}}
{{- if .exec -}}
exec:
  command: {{ toJson .exec }}
{{- else if .http -}}
httpGet: {path: {{ .http }}, port: {{ .port }}{{ with .scheme }}, scheme: {{ . }}{{ end }}}
{{- else if .grpc -}}
grpc: {port: {{ .port }}, service: {{ .grpc | quote }}}
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

{{/* For a server that is alone: every drain of its node waits for a person. */}}
{{- define "workload.budgetOfOne" -}}
{{- if .root.Values.podDisruptionBudget.enabled }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "base.metadata" . | nindent 2 }}
spec:
  minAvailable: 1
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
`.onFailure` (Fail where absent): whether a request passes when nobody answers; `.seconds`: time limit
of an answer (default: 10).
*/}}
{{- define "workload.webhook" -}}
admissionReviewVersions: [v1]
sideEffects: None
failurePolicy: {{ .onFailure | default "Fail" }}
matchPolicy: Equivalent
timeoutSeconds: {{ .seconds | default 10 }}
clientConfig:
  service:
    name: {{ .service }}
    namespace: {{ .root.Release.Namespace }}
    path: {{ .path }}
    port: 443
  caBundle: {{ .root.Values.webhook.caBundle | quote }}
{{- end }}

{{/* The rule of a webhook that sees Pods before they are made. */}}
{{- define "workload.podCreation" -}}
apiGroups: [""]
apiVersions: [v1]
operations: [CREATE]
resources: [pods]
scope: Namespaced
{{- end }}
