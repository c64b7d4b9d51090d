"""One folder a rule: policy.yaml (title, why, severity, data), rule.py (pure), cases.yaml."""
