"""One module per command: it prints, confirms and gives exit codes; flows do the work."""
