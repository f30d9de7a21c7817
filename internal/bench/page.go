package bench

import (
	"fmt"
	"html/template"
	"os"
	"strings"

	"github.com/sottovoce/sotto/internal/bench/chart"
)

// palette is how many colours the lines of schemes have.
const palette = 12

// page is self-contained, and follows the reader's choice of dark or light.
var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"percent": func(share float64) string { return fmt.Sprintf("%.0f", 100*share) },
}).Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>sotto-bench paths</title>
<style>
{{.Style}}{{range .Styles}}{{.}}
{{end}}</style>
<h1>Many circuits, one call</h1>
<p>{{.About}}</p>
<div class="scroll"><table><tr><th>scheme<th>circuits<th>cells/s<th>p50<th>p95<th>p99<th>call p99, median<th>its p90<th>calls under 360 ms, %<th>undelivered, frames{{if .Excess}}<th>excess p99, median<th>its p90{{end}}</tr>
{{range $i, $s := .Schemes}}<tr><td><span class="k{{$i}}">■</span> {{.Scheme}}<td>{{.Circuits}}<td>{{.CellsPerSecond}}<td>{{.Delay.P50}}<td>{{.Delay.P95}}<td>{{.Delay.P99}}<td>{{.CallP99.Median}}<td>{{.CallP99.P90}}<td>{{.Under360 | percent}}<td>{{.Undelivered}}{{with .ExcessP99}}<td>{{.Median}}<td>{{.P90}}{{end}}</tr>
{{end}}</table></div>
{{range .Pictures}}{{.}}
{{end}}</html>
`))

// save writes the page.
func (r *Report) save(file string) error {
	c := r.picture.config
	var styles []template.CSS
	for i := range r.Schemes {
		hue := 360 * (i % palette) / min(palette, len(r.Schemes))
		styles = append(styles, template.CSS(fmt.Sprintf(
			".s%d{stroke:light-dark(hsl(%d 80%% 38%%),hsl(%d 75%% 65%%))}.k%d{color:light-dark(hsl(%d 80%% 38%%),hsl(%d 75%% 65%%))}",
			i%palette, hue, hue, i, hue, hue)))
	}
	var b strings.Builder
	err := page.Execute(&b, map[string]any{
		"Style": chart.Style, "Schemes": r.Schemes, "Styles": styles, "Excess": c.Spread > 0 || c.Correlated > 0,
		"Pictures": []template.HTML{r.picture.overTime(), r.overCalls()},
		"About": fmt.Sprintf("%d calls of %d circuits, seed %d; base %v each way, spread %v, correlated %g. Delays are of 20 ms frames, in ms above the base.",
			c.Calls, c.Circuits, c.Seed, c.Base, c.Spread, c.Correlated),
	})
	if err != nil {
		return fmt.Errorf("the page: %w", err)
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("saving the page: %w", err)
	}
	return nil
}
