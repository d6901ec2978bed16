"""tickertape: self-hosted, real-time messaging analytics."""

__version__ = "0.1.0"
