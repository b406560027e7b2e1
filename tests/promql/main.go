// Answers one JSON request a line with Prometheus' own code: what an expression reads, which alerts a set of rules
// raises over given series, and what queries give over them. README.md has the protocol.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

type series struct{ Series, Values string }

type request struct {
	Parse        []string
	Rules        string // YAML, as in a rule file
	Series       []series
	Interval, At string
	Queries      []string
}

// What an expression selects. Functions are those that it calls, by name.
type selection struct {
	Error     string              `json:"error,omitempty"`
	Metrics   []string            `json:"metrics"`
	Labels    map[string][]string `json:"labels"` // of each metric, those that are matched on
	Functions []string            `json:"functions"`
}

var language = parser.NewParser(parser.Options{})

func parse(text string) selection {
	found := selection{Metrics: []string{}, Labels: map[string][]string{}, Functions: []string{}}
	expression, err := language.ParseExpr(text)
	if err != nil {
		found.Error = err.Error()
		return found
	}
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		switch node := node.(type) {
		case *parser.VectorSelector:
			found.Metrics = append(found.Metrics, node.Name)
			for _, matcher := range node.LabelMatchers {
				if matcher.Name != labels.MetricName {
					found.Labels[node.Name] = append(found.Labels[node.Name], matcher.Name)
				}
			}
		case *parser.Call:
			found.Functions = append(found.Functions, node.Func.Name)
		}
		return nil
	})
	slices.Sort(found.Metrics)
	found.Metrics = slices.Compact(found.Metrics)
	return found
}

func answer(text []byte) (any, error) {
	asked := request{}
	if err := json.Unmarshal(text, &asked); err != nil {
		return nil, err
	}
	if asked.Parse != nil {
		found := make([]selection, 0, len(asked.Parse))
		for _, expression := range asked.Parse {
			found = append(found, parse(expression))
		}
		return found, nil
	}
	return evaluate(asked)
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		found, err := answer(lines.Bytes())
		if err != nil {
			found = map[string]string{"error": err.Error()}
		}
		text, err := json.Marshal(found)
		if err != nil {
			text = []byte(`{"error": "no JSON"}`)
		}
		fmt.Println(string(text))
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
