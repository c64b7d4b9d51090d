"""Secrets in the files of a change and in every line its commits ever added."""
