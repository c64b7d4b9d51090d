"""What outlives a release, as a Pulumi program: docs/infra.md."""
