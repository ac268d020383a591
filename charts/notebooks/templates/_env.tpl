{{/* What this chart adds to the environment of a JupyterLab: it knows the image and its users' packages. */}}
{{- define "notebooks.env" -}}
- {name: NB_PREFIX, value: /notebook/{{ .user.tenant }}/{{ .user.name }}}
- {name: PATH, value: "/home/notebook/.local/bin:/usr/local/bin:/usr/bin"}
- {name: PIP_CONFIG_FILE, value: /etc/notebook/pip.conf}
{{ include "jupyter.env" . }}
{{- end }}
