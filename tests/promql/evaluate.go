package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
)

type alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

type sample struct {
	Labels map[string]string `json:"labels"`
	Value  string            `json:"value"` // a text, since JSON has no NaN
}

type result struct {
	Error   string   `json:"error,omitempty"`
	Samples []sample `json:"samples"`
}

type outcome struct {
	Alerts  []alert  `json:"alerts"` // that fire at the end
	Results []result `json:"results"`
}

// evaluate runs the rules every interval from 0 to At, as a Prometheus that has scraped the series would, then the
// queries at the end.
func evaluate(asked request) (*outcome, error) {
	interval, err := model.ParseDuration(asked.Interval)
	if err != nil {
		return nil, err
	}
	at, err := model.ParseDuration(asked.At)
	if err != nil {
		return nil, err
	}
	load := []string{"load " + asked.Interval}
	for _, each := range asked.Series {
		load = append(load, "  "+each.Series+" "+each.Values)
	}
	suite, err := promqltest.NewLazyLoader(strings.Join(load, "\n"), promqltest.LazyLoaderOpts{
		EnableAtModifier: true, EnableNegativeOffset: true,
	})
	if err != nil {
		return nil, err
	}
	defer suite.Close() //nolint:errcheck // it is of this request alone
	suite.SubqueryInterval = time.Duration(interval)
	groups, err := loadGroups(suite, asked.Rules, time.Duration(interval))
	if err != nil {
		return nil, err
	}
	end := time.Unix(0, 0).UTC().Add(time.Duration(at))
	for now := time.Unix(0, 0).UTC(); !now.After(end); now = now.Add(time.Duration(interval)) {
		suite.WithSamplesTill(now, func(e error) { err = e })
		if err != nil {
			return nil, err
		}
		for _, group := range groups {
			group.Eval(suite.Context(), now)
			for _, rule := range group.Rules() {
				if rule.LastError() != nil {
					return nil, fmt.Errorf("%s: %w", rule.Name(), rule.LastError())
				}
			}
		}
	}
	return &outcome{Alerts: firing(groups), Results: query(suite, asked.Queries, end)}, nil
}

func loadGroups(suite *promqltest.LazyLoader, text string, interval time.Duration) ([]*rules.Group, error) {
	if text == "" {
		return nil, nil
	}
	file, err := os.CreateTemp("", "kre-promql-*.yaml")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name()) //nolint:errcheck // a temporary file
	if _, err = file.WriteString(text); err != nil {
		return nil, err
	}
	if err = file.Close(); err != nil {
		return nil, err
	}
	manager := rules.NewManager(&rules.ManagerOptions{
		QueryFunc:  rules.EngineQueryFunc(suite.QueryEngine(), suite.Storage()),
		Appendable: suite.Storage(),
		Context:    context.Background(),
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
		Logger:     promslog.NewNopLogger(),
		Parser:     language,
	})
	found, problems := manager.LoadGroups(interval, labels.EmptyLabels(), "", nil, false, file.Name())
	if len(problems) > 0 {
		return nil, fmt.Errorf("%v", problems)
	}
	ordered := make([]*rules.Group, 0, len(found))
	for _, group := range found {
		ordered = append(ordered, group)
		for _, rule := range group.Rules() {
			if alerting, ok := rule.(*rules.AlertingRule); ok {
				alerting.SetRestored(true)
			}
		}
	}
	slices.SortFunc(ordered, func(one, other *rules.Group) int {
		return cmp.Or(cmp.Compare(turn(one), turn(other)), cmp.Compare(one.Name(), other.Name()))
	})
	return ordered, nil
}

// turn is 0 for a group that records, which others read at the same moment.
func turn(group *rules.Group) int {
	for _, rule := range group.Rules() {
		if _, ok := rule.(*rules.RecordingRule); ok {
			return 0
		}
	}
	return 1
}

func firing(groups []*rules.Group) []alert {
	found := []alert{}
	for _, group := range groups {
		for _, rule := range group.Rules() {
			alerting, ok := rule.(*rules.AlertingRule)
			if !ok {
				continue
			}
			for _, active := range alerting.ActiveAlerts() {
				if active.State == rules.StateFiring {
					found = append(found, alert{active.Labels.Map(), active.Annotations.Map()})
				}
			}
		}
	}
	return found
}

func query(suite *promqltest.LazyLoader, queries []string, at time.Time) []result {
	ask := rules.EngineQueryFunc(suite.QueryEngine(), suite.Storage())
	found := make([]result, 0, len(queries))
	for _, text := range queries {
		vector, err := ask(suite.Context(), text, at)
		if err != nil {
			found = append(found, result{Error: err.Error(), Samples: []sample{}})
			continue
		}
		one := result{Samples: []sample{}}
		for _, each := range vector {
			value := fmt.Sprint(each.F)
			if math.IsNaN(each.F) {
				value = "NaN"
			}
			one.Samples = append(one.Samples, sample{each.Metric.Map(), value})
		}
		found = append(found, one)
	}
	return found
}
