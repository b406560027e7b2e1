"""Who may do what: Kubernetes' RBAC, evaluated offline and exactly."""
