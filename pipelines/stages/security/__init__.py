"""The stage `security`; `stage.py` puts its parts together."""

from pipelines.stages.security.stage import SecurityStage

__all__ = ["SecurityStage"]
