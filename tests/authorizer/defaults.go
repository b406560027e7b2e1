package main

import (
	"encoding/json"
	"os"
	"sort"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy"
)

// defaults are the roles and bindings that the API server makes at its start, sorted, each with its kind.
func defaults() []runtime.Object {
	found := []runtime.Object{}
	for _, item := range append(bootstrappolicy.ClusterRoles(), bootstrappolicy.ControllerRoles()...) {
		found = append(found, item.DeepCopy())
	}
	for _, item := range append(bootstrappolicy.ClusterRoleBindings(), bootstrappolicy.ControllerRoleBindings()...) {
		found = append(found, item.DeepCopy())
	}
	for _, items := range bootstrappolicy.NamespaceRoles() {
		for _, item := range items {
			found = append(found, item.DeepCopy())
		}
	}
	for _, items := range bootstrappolicy.NamespaceRoleBindings() {
		for _, item := range items {
			found = append(found, item.DeepCopy())
		}
	}
	for _, object := range found {
		switch item := object.(type) {
		case *rbacv1.ClusterRole:
			item.SetGroupVersionKind(rbacv1.SchemeGroupVersion.WithKind("ClusterRole"))
		case *rbacv1.ClusterRoleBinding:
			item.SetGroupVersionKind(rbacv1.SchemeGroupVersion.WithKind("ClusterRoleBinding"))
		case *rbacv1.Role:
			item.SetGroupVersionKind(rbacv1.SchemeGroupVersion.WithKind("Role"))
		case *rbacv1.RoleBinding:
			item.SetGroupVersionKind(rbacv1.SchemeGroupVersion.WithKind("RoleBinding"))
		}
	}
	return found
}

func printDefaults() error {
	lines := []string{}
	for _, item := range defaults() {
		text, err := json.Marshal(item)
		if err != nil {
			return err
		}
		lines = append(lines, string(text))
	}
	sort.Strings(lines)
	for index, text := range lines {
		before := ","
		if index == 0 {
			before = "["
		}
		if _, err := os.Stdout.WriteString(before + "\n" + text); err != nil {
			return err
		}
	}
	_, err := os.Stdout.WriteString("\n]\n")
	return err
}
