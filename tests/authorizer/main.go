// Answers the line protocol of `python -m kre.rbac.lines` with Kubernetes' own code: what the API server would refuse
// is refused, ClusterRoles are aggregated by the controller's own sync function, and questions go to its authorizers.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	"k8s.io/apiserver/pkg/authorization/union"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac"
)

type question struct {
	User, Verb, Group, Resource, Subresource, Name, Namespace, Path string

	Groups []string
}

type line struct {
	Objects   []json.RawMessage
	Defaults  bool
	Questions []question
}

func (q question) attributes() authorizer.Attributes {
	who := &user.DefaultInfo{Name: q.User, Groups: q.Groups}
	if q.Path != "" {
		return authorizer.AttributesRecord{User: who, Verb: q.Verb, Path: q.Path}
	}
	return authorizer.AttributesRecord{
		User: who, Verb: q.Verb, Namespace: q.Namespace, APIGroup: q.Group, Resource: q.Resource,
		Subresource: q.Subresource, Name: q.Name, ResourceRequest: true,
	}
}

func answer(text []byte) (any, error) {
	asked := line{}
	if err := json.Unmarshal(text, &asked); err != nil {
		return nil, err
	}
	known := newStore()
	if asked.Defaults {
		known.addDefaults()
	}
	for index, raw := range asked.Objects {
		if err := known.add(raw); err != nil {
			return nil, fmt.Errorf("objects[%d]: %w", index, err)
		}
	}
	if err := known.aggregate(); err != nil {
		return nil, err
	}
	decider := union.New(
		authorizerfactory.NewPrivilegedGroups(user.SystemPrivilegedGroup),
		rbac.New(known, known, known, known),
	)
	allowed := make([]bool, len(asked.Questions))
	for index, q := range asked.Questions {
		decision, _, _ := decider.Authorize(context.Background(), q.attributes())
		allowed[index] = decision == authorizer.DecisionAllow
	}
	return map[string]any{"allowed": allowed}, nil
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "-defaults" {
		if err := printDefaults(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<28)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		found, err := answer(in.Bytes())
		if err != nil {
			found = map[string]string{"error": err.Error()}
		}
		if err := out.Encode(found); err != nil {
			os.Exit(1)
		}
	}
}
