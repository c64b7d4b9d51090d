"""When nobody releases: hours around the market's."""
