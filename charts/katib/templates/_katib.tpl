{{/* Security of the Pods that Katib makes in the namespaces of tenants. */}}
{{- define "katib.security" -}}
{{- dict "runAsNonRoot" true "runAsUser" (int64 .Values.trials.runAs.user) "runAsGroup" (int64 .Values.trials.runAs.group) "allowPrivilegeEscalation" false "capabilities" (dict "drop" (list "ALL")) "seccompProfile" (dict "type" "RuntimeDefault") | toJson -}}
{{- end }}

{{/*
Katib asks for 500Mi of the node's disk where nothing is written, and a node need not report any: what
is negative it leaves out.
*/}}
{{- define "katib.resources" -}}
{{- $none := dict "ephemeral-storage" "-1" -}}
{{- dict "requests" (merge dict .requests $none) "limits" (merge dict .limits $none) | toJson -}}
{{- end }}

{{/* Katib's own configuration: all images that it starts later are named here. */}}
{{- define "katib.files" -}}
{{- $root := . -}}
{{- $images := .Values.images -}}
{{- $policy := .Values.imagePullPolicy -}}
katib-config.yaml: |
  apiVersion: config.kubeflow.org/v1beta1
  kind: KatibConfig
  init:
    # Certificates come from the platform.
    certGenerator: {enable: false}
    controller:
      webhookPort: 8443
      enableGRPCProbeInSuggestion: true
      # What is put beside a trial must pass Pod Security like the trial itself.
      injectSecurityContext: true
      trialResources:
        {{- toYaml .Values.trials.resources | nindent 8 }}
  runtime:
    metricsCollectors:
      {{- range list "StdOut" "File" }}
      - kind: {{ . }}
        image: {{ $images.fileMetricsCollector }}
        imagePullPolicy: {{ $policy }}
        resources: {{ include "katib.resources" $root.Values.trials.collector }}
      {{- end }}
    suggestions:
      {{- range $algorithm, $role := .Values.trials.algorithms }}
      - algorithmName: {{ $algorithm }}
        image: {{ index $images $role }}
        imagePullPolicy: {{ $policy }}
        # one image may have all services; upstream's have one each and take no argument
        args: [{{ $role }}]
        securityContext: {{ include "katib.security" $root }}
        resources: {{ include "katib.resources" $root.Values.trials.suggestion }}
      {{- end }}
    earlyStoppings:
      - algorithmName: medianstop
        image: {{ $images.medianStop }}
        imagePullPolicy: {{ $policy }}
        resources: {{ include "katib.resources" $root.Values.trials.suggestion }}
{{- end }}

{{/* The controller asks the API for this name whenever it starts a suggestion or a collector. */}}
{{- define "katib.configName" -}}
katib-config
{{- end }}

{{/* Connections from what runs beside and for experiments in the namespaces given. */}}
{{- define "katib.fromTrials" -}}
- from:
    - namespaceSelector:
        matchExpressions:
          - {key: kubernetes.io/metadata.name, operator: In, values: {{ toJson . }}}
      podSelector:
        matchExpressions:
          - {key: katib.kubeflow.org/experiment, operator: Exists}
  ports:
    - {port: 6789, protocol: TCP}
{{- end }}
