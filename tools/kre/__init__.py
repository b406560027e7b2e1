"""The toolkit of the Kubernetes Response Engine."""

__version__ = "0.1.0"
