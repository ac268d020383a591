{{/*
The controller's configuration. Both images of a proxy are named: compiled in as a default is one
that upstream's developers overwrite every day.
*/}}
{{- define "edge.files" -}}
envoy-gateway.yaml: |
  apiVersion: gateway.envoyproxy.io/v1alpha1
  kind: EnvoyGateway
  gateway:
    controllerName: gateway.envoyproxy.io/gatewayclass-controller
  logging:
    level: {default: info}
  provider:
    type: Kubernetes
    kubernetes:
      # Routes name what is elsewhere by its address: the controller may read no other Secrets.
      watch: {type: Namespaces, namespaces: [{{ .Release.Namespace }}]}
      shutdownManager: {image: "{{ .Values.images.controller }}"}
      # It would need a webhook for all Pods, to tell proxies their zone.
      proxyTopologyInjector: {disabled: true}
  # Backends of this namespace alone; no patch of the proxies' own configuration.
  extensionApis: {enableBackend: true, enableEnvoyPatchPolicy: false}
{{- end }}

{{- define "edge.configName" -}}
{{ include "base.configName" (dict "root" . "role" "controller" "data" (include "edge.files" .)) }}
{{- end }}

{{/* How the controller labels the Pods of the proxies. */}}
{{- define "edge.proxyLabels" -}}
app.kubernetes.io/name: envoy
app.kubernetes.io/component: proxy
{{- end }}

{{/*
Labels of those Pods. The controller puts these in the place of its own, by which its Deployment
selects them: both must say the same.
*/}}
{{- define "edge.podLabels" -}}
{{- $own := include "base.podLabels" (dict "root" . "role" "proxy") | fromYaml -}}
{{- $theirs := include "edge.proxyLabels" . | fromYaml -}}
{{- $_ := set $theirs "app.kubernetes.io/managed-by" "envoy-gateway" -}}
{{ toYaml (merge $theirs $own) }}
{{- end }}

{{/* Name of the listener that routes attach to. */}}
{{- define "edge.listener" -}}
{{ ternary "https" "http" (ne .Values.tls.secret "") }}
{{- end }}

{{/* Which Gateway a route attaches to; its definition has no defaults. */}}
{{- define "edge.parent" -}}
group: gateway.networking.k8s.io
kind: Gateway
name: mlops-infra
{{- end }}

{{/*
Annotations of a custom resource: what comes before it, and when it counts as done.
(dict "root" . "after" "group/namespaces/…" "until" CONDITION)
*/}}
{{- define "edge.annotations" -}}
annotations:
  config.kubernetes.io/depends-on: {{ .after }}
  {{- if .root.Values.awaitReady }}
  {{- with .until }}
  pulumi.com/waitFor: {{ . | quote }}
  {{- end }}
  {{- end }}
{{- end }}
