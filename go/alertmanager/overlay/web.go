// Package ui without the web interface, whose compiled assets are not in the published module.
package ui

import (
	"io"
	"net/http"

	"github.com/prometheus/common/route"
)

const page = `<!doctype html><title>Alertmanager</title><h1>Alertmanager</h1>
<p>This build has no web interface. Alerts: <a href="api/v2/alerts">api/v2/alerts</a>,
silences: <a href="api/v2/silences">api/v2/silences</a>, metrics: <a href="metrics">metrics</a>.</p>
`

// Register registers the one page that says so.
func Register(r *route.Router) {
	r.Get("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, page)
	})
}
