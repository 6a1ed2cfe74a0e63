package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"gopkg.in/yaml.v3"
)

// Renders a chart with the engine and the functions that Helm has: CHART VALUES.json RELEASE NAMESPACE → {"file": "text"}.
func main() {
	chart := os.Args[1]
	var values map[string]interface{}
	raw, _ := os.ReadFile(os.Args[2])
	if err := json.Unmarshal(raw, &values); err != nil {
		panic(err)
	}
	var meta map[string]interface{}
	raw, _ = os.ReadFile(filepath.Join(chart, "Chart.yaml"))
	if err := yaml.Unmarshal(raw, &meta); err != nil {
		panic(err)
	}
	root := map[string]interface{}{
		"Values":  values,
		"Release": map[string]interface{}{"Name": os.Args[3], "Namespace": os.Args[4], "Service": "Helm"},
		"Chart":   map[string]interface{}{"Name": meta["name"], "Version": meta["version"], "AppVersion": meta["appVersion"]},
	}
	t := template.New("root").Option("missingkey=zero")
	f := sprig.TxtFuncMap()
	f["include"] = func(name string, data interface{}) (string, error) {
		var b bytes.Buffer
		err := t.ExecuteTemplate(&b, name, data)
		return b.String(), err
	}
	f["toYaml"] = func(v interface{}) string {
		var b bytes.Buffer
		e := yaml.NewEncoder(&b)
		e.SetIndent(2)
		if err := e.Encode(v); err != nil {
			panic(err)
		}
		return strings.TrimSuffix(b.String(), "\n")
	}
	f["required"] = func(m string, v interface{}) (interface{}, error) {
		if v == nil {
			return nil, fmt.Errorf("%s", m)
		}
		if s, ok := v.(string); ok && s == "" {
			return nil, fmt.Errorf("%s", m)
		}
		return v, nil
	}
	t.Funcs(f)
	var names []string
	filepath.Walk(filepath.Join(chart, "templates"), func(p string, i os.FileInfo, err error) error {
		if !i.IsDir() {
			names = append(names, p)
		}
		return nil
	})
	sort.Strings(names)
	for _, n := range names {
		raw, _ := os.ReadFile(n)
		rel, _ := filepath.Rel(filepath.Join(chart, "templates"), n)
		if _, err := t.New(rel).Parse(string(raw)); err != nil {
			panic(err)
		}
	}
	out := map[string]string{}
	for _, n := range names {
		rel, _ := filepath.Rel(filepath.Join(chart, "templates"), n)
		if strings.HasSuffix(rel, ".tpl") {
			continue
		}
		var b bytes.Buffer
		if err := t.ExecuteTemplate(&b, rel, root); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		out[rel] = strings.ReplaceAll(b.String(), "<no value>", "")
	}
	json.NewEncoder(os.Stdout).Encode(out)
}
