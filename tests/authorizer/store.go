package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	applyrbac "k8s.io/client-go/applyconfigurations/rbac/v1"
	rbacclient "k8s.io/client-go/kubernetes/typed/rbac/v1"
	rbaclisters "k8s.io/client-go/listers/rbac/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	internal "k8s.io/kubernetes/pkg/apis/rbac"
	_ "k8s.io/kubernetes/pkg/apis/rbac/install"
	"k8s.io/kubernetes/pkg/controller/clusterroleaggregation"
	"k8s.io/kubernetes/pkg/registry/rbac/clusterrole"
	"k8s.io/kubernetes/pkg/registry/rbac/clusterrolebinding"
	"k8s.io/kubernetes/pkg/registry/rbac/role"
	"k8s.io/kubernetes/pkg/registry/rbac/rolebinding"
)

// store holds the objects of one line, and is the four listers that the authorizer reads.
type store struct {
	roles               map[string]*rbacv1.Role
	bindings            map[string][]*rbacv1.RoleBinding
	clusterRoles        cache.SharedIndexInformer
	clusterRoleBindings []*rbacv1.ClusterRoleBinding
	seen                map[string]bool
	applied             map[string]bool // ClusterRoles whose rules the aggregation controller owns
	changed             bool
}

func newStore() *store {
	never := cache.NewSharedIndexInformer(&cache.ListWatch{}, &rbacv1.ClusterRole{}, 0, cache.Indexers{})
	return &store{
		roles: map[string]*rbacv1.Role{}, bindings: map[string][]*rbacv1.RoleBinding{}, clusterRoles: never,
		seen: map[string]bool{}, applied: map[string]bool{},
	}
}

func (s *store) addDefaults() {
	for _, item := range defaults() {
		s.keep(item)
	}
}

// add takes an object as the API server's create handler does: decode, default, prepare, validate.
func (s *store) add(raw []byte) error {
	decoder := legacyscheme.Codecs.UniversalDecoder(internal.SchemeGroupVersion)
	object, version, err := decoder.Decode(raw, nil, nil)
	if err != nil {
		return err
	}
	if *version != rbacv1.SchemeGroupVersion.WithKind(version.Kind) {
		return fmt.Errorf("%s is not served", version)
	}
	var strategy rest.RESTCreateStrategy
	var external runtime.Object
	switch object.(type) {
	case *internal.Role:
		strategy, external = role.Strategy, &rbacv1.Role{}
	case *internal.ClusterRole:
		strategy, external = clusterrole.Strategy, &rbacv1.ClusterRole{}
	case *internal.RoleBinding:
		strategy, external = rolebinding.Strategy, &rbacv1.RoleBinding{}
	case *internal.ClusterRoleBinding:
		strategy, external = clusterrolebinding.Strategy, &rbacv1.ClusterRoleBinding{}
	default:
		return fmt.Errorf("%T is no RBAC object", object)
	}
	accessor, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	if accessor.GetResourceVersion() != "" {
		return errors.New("resourceVersion should not be set on objects to be created")
	}
	rest.FillObjectMetaSystemFields(accessor)
	if accessor.GetName() == "" && accessor.GetGenerateName() != "" {
		accessor.SetName(strategy.GenerateName(accessor.GetGenerateName()))
	}
	ctx := genericapirequest.WithNamespace(context.Background(), accessor.GetNamespace())
	if err := rest.BeforeCreate(strategy, ctx, object); err != nil {
		return err
	}
	if err := legacyscheme.Scheme.Convert(object, external, nil); err != nil {
		return err
	}
	key := fmt.Sprintf("%T %s/%s", object, accessor.GetNamespace(), accessor.GetName())
	if s.seen[key] {
		return errors.New("already exists")
	}
	s.seen[key] = true
	s.keep(external)
	return nil
}

func (s *store) keep(object runtime.Object) {
	switch item := object.(type) {
	case *rbacv1.Role:
		s.roles[item.Namespace+"/"+item.Name] = item
	case *rbacv1.RoleBinding:
		s.bindings[item.Namespace] = append(s.bindings[item.Namespace], item)
	case *rbacv1.ClusterRoleBinding:
		s.clusterRoleBindings = append(s.clusterRoleBindings, item)
	case *rbacv1.ClusterRole:
		_ = s.clusterRoles.GetIndexer().Update(item)
	}
}

// aggregate runs the controller's sync function over every ClusterRole until nothing changes any more.
func (s *store) aggregate() error {
	controller := clusterroleaggregation.NewClusterRoleAggregation(s, s)
	field := reflect.ValueOf(controller).Elem().FieldByName("syncHandler")
	sync := *(*func(context.Context, string) error)(unsafe.Pointer(field.UnsafeAddr()))
	names := s.clusterRoles.GetIndexer().ListKeys()
	for range 50 {
		s.changed = false
		for _, name := range names {
			if err := sync(context.Background(), name); err != nil {
				return err
			}
		}
		if !s.changed {
			return nil
		}
	}
	return errors.New("the aggregation does not settle")
}

// What the controller asks of its informer and client.

func (s *store) Informer() cache.SharedIndexInformer { return s.clusterRoles }
func (s *store) Lister() rbaclisters.ClusterRoleLister {
	return rbaclisters.NewClusterRoleLister(s.clusterRoles.GetIndexer())
}
func (s *store) ClusterRoles() rbacclient.ClusterRoleInterface { return &applier{store: s} }

type applier struct {
	rbacclient.ClusterRoleInterface
	store *store
}

// Apply is server-side apply of the one field that the controller sets: an empty list is no field, so it takes away
// what the controller had set before, and leaves alone what stands there from somebody else.
func (a *applier) Apply(ctx context.Context, wanted *applyrbac.ClusterRoleApplyConfiguration, _ metav1.ApplyOptions) (*rbacv1.ClusterRole, error) {
	known, err := a.store.Lister().Get(*wanted.Name)
	if err != nil {
		return nil, err
	}
	if len(wanted.Rules) == 0 && !a.store.applied[known.Name] {
		return known, nil
	}
	next := known.DeepCopy()
	next.Rules = nil
	for _, rule := range wanted.Rules {
		next.Rules = append(next.Rules, rbacv1.PolicyRule{
			Verbs: rule.Verbs, APIGroups: rule.APIGroups, Resources: rule.Resources,
			ResourceNames: rule.ResourceNames, NonResourceURLs: rule.NonResourceURLs,
		})
	}
	a.store.applied[known.Name] = len(wanted.Rules) > 0
	a.store.changed = a.store.changed || !reflect.DeepEqual(said(known.Rules), said(next.Rules))
	return next, a.store.clusterRoles.GetIndexer().Update(next)
}

// said is what rules say, whatever their order: in a circle of three that may go round for ever.
func said(rules []rbacv1.PolicyRule) map[string]bool {
	found := map[string]bool{}
	for index := range rules {
		found[rules[index].String()] = true
	}
	return found
}

// What the authorizer reads.

func (s *store) GetRole(_ context.Context, namespace, name string) (*rbacv1.Role, error) {
	if found := s.roles[namespace+"/"+name]; found != nil {
		return found, nil
	}
	return nil, errors.New("not found")
}
func (s *store) ListRoleBindings(_ context.Context, namespace string) ([]*rbacv1.RoleBinding, error) {
	return s.bindings[namespace], nil
}
func (s *store) GetClusterRole(_ context.Context, name string) (*rbacv1.ClusterRole, error) {
	return s.Lister().Get(name)
}
func (s *store) ListClusterRoleBindings(context.Context) ([]*rbacv1.ClusterRoleBinding, error) {
	return s.clusterRoleBindings, nil
}
