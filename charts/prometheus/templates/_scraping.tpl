{{/*
What is scraped. Labels of a target win over those in its metrics: a Pod of one tenant cannot speak
for the models of another.
*/}}
{{- define "prometheus.config" -}}
global:
  scrape_interval: {{ int .Values.scrapeSeconds }}s
  scrape_timeout: 10s
  evaluation_interval: {{ int .Values.scrapeSeconds }}s
rule_files: [/etc/prometheus/platform.yml, /etc/prometheus/models.yml, /etc/prometheus/expected.yml, /etc/prometheus/certificates.yml]
alerting:
  alertmanagers:
    - static_configs:
        - targets: [{{ printf "alertmanager.%s.svc:9093" .Release.Namespace | quote }}]
scrape_configs:
  {{- $signed := list }}
  {{- range .Values.signIns }}
  {{- $signed = append $signed .namespace }}
  - job_name: {{ .namespace }}
    basic_auth:
      username_file: /run/secrets/sign-in/{{ .namespace }}/username
      password_file: /run/secrets/sign-in/{{ .namespace }}/password
    {{- include "prometheus.pods" (list .namespace) | nindent 4 }}
  {{- end }}
  {{- $open := list }}
  {{- range .Values.namespaces }}
  {{- if not (has . $signed) }}{{ $open = append $open . }}{{ end }}
  {{- end }}
  - job_name: pods
    {{- include "prometheus.pods" $open | nindent 4 }}
  {{- if .Values.kubelets }}
  - job_name: kubelet
    {{- include "prometheus.kubelets" (dict "path" "/metrics" "keep" "kubelet_volume_stats_.+|kubelet_certificate_manager_.+") | nindent 4 }}
  - job_name: kubelet-resources
    {{- include "prometheus.kubelets" (dict "path" "/metrics/resource" "keep" "(container|node)_.+") | nindent 4 }}
  - job_name: kubelet-probes
    {{- include "prometheus.kubelets" (dict "path" "/metrics/probes" "keep" "prober_probe_total") | nindent 4 }}
  {{- end }}
{{- end }}

{{/* Pods of a list of namespaces that ask for it. */}}
{{- define "prometheus.pods" -}}
# A mistake, or malice, of one Pod must not fill the store.
sample_limit: 20000
label_limit: 40
body_size_limit: 20MB
kubernetes_sd_configs:
  - role: pod
    namespaces:
      names: {{ toJson . }}
relabel_configs:
  - {source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape], regex: "true", action: keep}
  - {source_labels: [__meta_kubernetes_pod_phase], regex: "Succeeded|Failed", action: drop}
  # a Pod has one target for each port of each container; all become the same one
  - source_labels: [__meta_kubernetes_pod_ip, __meta_kubernetes_pod_annotation_prometheus_io_port]
    regex: "([^;]+);([0-9]+)"
    replacement: "$1:$2"
    target_label: __address__
  - {source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_path], regex: "(/.+)", target_label: __metrics_path__}
  - {source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scheme], regex: "(https?)", target_label: __scheme__}
  - {source_labels: [__meta_kubernetes_namespace], target_label: namespace}
  - {source_labels: [__meta_kubernetes_namespace], regex: "tenant-(.+)", target_label: tenant}
  - {source_labels: [__meta_kubernetes_pod_name], target_label: pod}
  - {source_labels: [__meta_kubernetes_pod_node_name], target_label: node}
  - {source_labels: [__meta_kubernetes_pod_label_app_kubernetes_io_name], target_label: component}
{{- end }}

{{- define "prometheus.kubelets" -}}
scheme: https
metrics_path: {{ .path }}
authorization:
  credentials_file: /var/run/secrets/kubernetes.io/serviceaccount/token
tls_config:
  insecure_skip_verify: true
kubernetes_sd_configs:
  - role: node
relabel_configs:
  # simulated nodes have no kubelet
  - {source_labels: [__meta_kubernetes_node_label_mlops_infra_dev_simulated], regex: "true", action: drop}
  - {source_labels: [__meta_kubernetes_node_name], target_label: node}
metric_relabel_configs:
  - {source_labels: [__name__], regex: {{ .keep | quote }}, action: keep}
{{- end }}
