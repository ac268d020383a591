{{/* Who hears of which alert. Addresses and passwords are read from files of Secrets. */}}
{{- define "alertmanager.config" -}}
{{- $to := .Values.alertmanager.receivers -}}
{{- $retraining := .Values.alertmanager.retraining.url -}}
{{- if .Values.trustedCa.configMap -}}
global:
  http_config:
    tls_config: {ca_file: /etc/trusted-ca/ca.crt}
{{ end -}}
route:
  receiver: site
  group_by: [alertname, namespace, tenant, model]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 12h
  {{- if $retraining }}
  routes:
    # The controller decides whether the window and the pause since the last training allow one.
    - receiver: retraining
      matchers: [action="retrain"]
      group_by: [alertname, tenant, model]
      group_wait: 5s
      group_interval: 1m
      repeat_interval: 1h
      continue: true
    - receiver: site
  {{- end }}
inhibit_rules:
  - source_matchers: [alertname="VolumeFull"]
    target_matchers: [alertname="VolumeNearlyFull"]
    equal: [namespace, persistentvolumeclaim]
  - source_matchers: [alertname="ComponentDown"]
    target_matchers: [alertname="TargetDown"]
    equal: [component]
receivers:
  {{- if $retraining }}
  - name: retraining
    webhook_configs:
      - url: {{ $retraining }}
        send_resolved: false
        timeout: 10s
        http_config:
          authorization: {credentials_file: /run/secrets/retraining/token}
  {{- end }}
  - name: site
    {{- if $to.webhook }}
    webhook_configs:
      - url_file: /run/secrets/webhook/url
    {{- end }}
    {{- if $to.slack.secret }}
    slack_configs:
      - api_url_file: /run/secrets/slack/url
        {{- with $to.slack.channel }}
        channel: {{ . | quote }}
        {{- end }}
        send_resolved: true
    {{- end }}
    {{- if $to.email.to }}
    email_configs:
      - to: {{ $to.email.to | quote }}
        from: {{ $to.email.from | quote }}
        smarthost: {{ $to.email.smarthost | quote }}
        send_resolved: true
        {{- if $to.email.secret }}
        auth_username: {{ $to.email.username | quote }}
        auth_password_file: /run/secrets/email/password
        {{- end }}
    {{- end }}
{{- end }}

{{/* Secrets that Alertmanager reads, by the folder they are mounted at. */}}
{{- define "alertmanager.secrets" -}}
{{- $given := .Values.alertmanager -}}
{{- $found := dict -}}
{{- if $given.retraining.url }}{{ $_ := set $found "retraining" $given.retraining.secret }}{{ end -}}
{{- with $given.receivers.webhook }}{{ $_ := set $found "webhook" . }}{{ end -}}
{{- with $given.receivers.slack.secret }}{{ $_ := set $found "slack" . }}{{ end -}}
{{- with $given.receivers.email.secret }}{{ $_ := set $found "email" . }}{{ end -}}
{{ toJson $found }}
{{- end }}
