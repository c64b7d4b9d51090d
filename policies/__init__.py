"""One folder a rule: policy.yaml (title, why, severity, data), rule.py (pure), cases.yaml.

Rules know facts and data only: neither git nor network nor files. The framework beside them reads
the policies that are packaged with the engine; everybody else brings the text of a branch.
"""
